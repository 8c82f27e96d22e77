// What the page asks of its server. The cookie goes by itself; the header is one that no other site can have sent.

async function ask(path, method = "GET", given = undefined) {
  const headers = method === "GET" ? {} : { "X-Coterie": "1", "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: given && JSON.stringify(given) });
  } catch {
    throw Object.assign(new Error("The studio has ended. Start it again with coterie serve."), { gone: true });
  }
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error), { status: answer.status });
  return told;
}

// The token comes in the fragment, which no request holds; it is exchanged for a cookie, and taken out of sight.
async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  await ask("/session", "POST", { token });
  history.replaceState(null, "", location.pathname);
}
