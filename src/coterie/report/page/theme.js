// Light or dark: as the system has it, until somebody chooses.

const THEME_PLACE = "coterie theme";
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const theme = { chosen: chosenTheme(), listeners: [] };

function chosenTheme() {
  try {
    return ["light", "dark"].find((one) => one === localStorage.getItem(THEME_PLACE)) || null;
  } catch {
    return null;
  }
}

const themeNow = () => theme.chosen || (systemIsDark.matches ? "dark" : "light");

function onTheme(listener) {
  theme.listeners.push(listener);
}

function applyTheme() {
  document.documentElement.dataset.theme = themeNow();
  for (const listener of theme.listeners) listener();
}

function chooseTheme(name) {
  theme.chosen = name;
  try {
    localStorage.setItem(THEME_PLACE, name);
  } catch {
    // Then it holds until the page is closed.
  }
  applyTheme();
}

function themeButton() {
  const button = el("button", { type: "button", class: "quiet", on: { click: () => chooseTheme(themeNow() === "dark" ? "light" : "dark") } });
  const say = () => { button.textContent = themeNow() === "dark" ? "Light colours" : "Dark colours"; };
  onTheme(say);
  say();
  return button;
}

systemIsDark.addEventListener("change", applyTheme);
// A choice in another page, or in the page around this one, is a choice here.
addEventListener("storage", ({ key }) => {
  if (key !== THEME_PLACE) return;
  theme.chosen = chosenTheme();
  applyTheme();
});
applyTheme();
