// What can be taken out of the page: tables as CSV, charts as SVG, the map as a picture. Nothing leaves the browser but to the disk.

function download(name, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: `${type};charset=utf-8` }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// A name for a file: that of the data, and what is in it.
function fileName(part, ending) {
  const stem = text((record.input || {}).name || "").replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60);
  return `${stem || "report"}-${part}.${ending}`;
}

// One field of a CSV file. Texts that a spreadsheet would run as a formula get an apostrophe.
function field(value) {
  if (!known(value)) return "";
  const plain = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : text(value);
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

const csvOf = (lines) => lines.map((line) => `${line.map(field).join(",")}\n`).join("");

function saveButton(words, label, act) {
  return el("button", { type: "button", class: "quiet", "aria-label": label, title: label, on: { click: act } }, words);
}

// What a drawing takes from the style of the page, written into it, so that it looks the same elsewhere.
const TAKEN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "paint-order"];

function svgFile(drawing) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [drawing, copy].map((one) => [one, ...one.querySelectorAll("*")]);
  from.forEach((one, i) => {
    const style = getComputedStyle(one);
    for (const name of TAKEN) to[i].setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "style", "tabindex", "role"]) to[i].removeAttribute(name);
  });
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: paper }));
  // Some characters that texts may hold cannot stand in such a file.
  return new XMLSerializer().serializeToString(copy).replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

// The same in pixels, twice as fine as on the screen. The drawing travels as an address of its own data, which the policy allows.
async function savePixels(drawing, name) {
  const picture = new Image();
  const letters = [...new TextEncoder().encode(svgFile(drawing))].map((byte) => String.fromCharCode(byte)).join("");
  picture.src = `data:image/svg+xml;base64,${btoa(letters)}`;
  await picture.decode();
  const canvas = el("canvas", { width: 2 * picture.width, height: 2 * picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((content) => download(name, content, "image/png"));
}
