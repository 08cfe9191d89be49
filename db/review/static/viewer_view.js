// How the pictures are looked at, never what they are: how many stand side by side, their brightness, how they are turned.

const section = document.querySelector(".viewer");
const root = document.documentElement.classList;
const told = section.querySelector(".view");
const BRIGHTEST = 200; // percent
const DARKEST = 40;
const STEP = 20;

let brightness = 100;
let degrees = 0; // clockwise

/** What the buttons of the view do. */
export function viewTools(panes, link) {
  /** Turns all pictures; those that stood whole in their panes stand whole again. */
  const turn = (to) => {
    degrees = to;
    const whole = link.fitted;
    for (const { viewer } of Object.values(panes)) {
      viewer.viewport.setRotation(degrees, true);
      if (whole) viewer.viewport.goHome(true);
    }
    tell();
  };
  const light = (to) => {
    brightness = Math.min(Math.max(to, DARKEST), BRIGHTEST);
    section.style.setProperty("--brightness", `${brightness}%`);
    section.toggleAttribute("data-lit", brightness !== 100);
    tell();
  };
  return {
    large: (button) => {
      const large = root.toggle("large");
      keep("large");
      button.setAttribute("aria-pressed", String(large));
    },
    two: () => lay("two"),
    one: () => lay("one"),
    darker: () => light(brightness - STEP),
    brighter: () => light(brightness + STEP),
    turn: () => turn((degrees + 90) % 360),
    back: () => { light(100); turn(0); },
  };
}

/** For the next page, which large.js reads it on. */
function keep(name) {
  sessionStorage.setItem(name, root.contains(name) ? "on" : "off");
}

/** One picture, or two; asked for again: all that there are. One alone does not last, or a verdict might be given on it. */
function lay(name) {
  for (const each of ["one", "two"]) root.toggle(each, each === name && !root.contains(name));
  keep("two");
  showLayout();
  section.querySelector('[data-pane="result"]').scrollIntoView({ block: "nearest" });
}

export function showLayout() {
  for (const name of ["one", "two", "large"]) {
    section.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", String(root.contains(name)));
  }
}

/** Says that the view, and nothing else, was changed. */
function tell() {
  const plain = brightness === 100 && degrees === 0;
  told.textContent = plain ? "" : told.dataset.changed.replace("{brightness}", brightness).replace("{degrees}", degrees);
}
