// The queue by keyboard: j and k move the focus through the cards, x selects; counts the selected; copies the address.

const links = [...document.querySelectorAll(".entry .open")];
const boxes = [...document.querySelectorAll(".entry input[type=checkbox]")];
let last = 0; // the card that was selected last: where a range begins

/** The card that has the focus; -1 for none. */
function current() {
  return links.findIndex((link) => link.closest(".entry").contains(document.activeElement));
}

/** Move the focus by so many cards; from nowhere to the first one. */
function move(step) {
  const here = current();
  links[here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1)]?.focus();
}

/** Select the card of the focus, or let it go. */
function select() {
  boxes[current()]?.click();
}

/** Select all from the card that was selected last to that of the focus. */
function selectRange() {
  const here = current();
  if (here < 0) return;
  for (const box of boxes.slice(Math.min(last, here), Math.max(last, here) + 1)) box.checked = true;
  last = here;
  count();
}

/** Tell how many are selected. */
function count() {
  const told = document.getElementById("chosen");
  if (!told) return;
  told.value = boxes.filter((box) => box.checked).length;
  told.closest(".chosen").toggleAttribute("data-some", told.value !== "0");
}

const STEPS = { j: () => move(1), k: () => move(-1), x: select, X: selectRange };

/** Single letters belong to whoever writes, and to nobody where they are switched off. */
function heard(event) {
  const writing = event.target.closest("input:not([type=checkbox]), textarea, select");
  return document.body.dataset.shortcuts === "on" && !writing && !(event.ctrlKey || event.metaKey || event.altKey);
}

document.addEventListener("keydown", (event) => {
  if (!(event.key in STEPS) || !heard(event) || event.isComposing) return;
  event.preventDefault();
  STEPS[event.key]();
});

boxes.forEach((box, place) => box.addEventListener("change", () => { last = place; count(); }));

/** Leave empty fields out of the address. */
function shorten(form) {
  for (const field of form.querySelectorAll("input, select")) field.disabled = field.value === "";
}
document.querySelector(".filters").addEventListener("submit", (event) => shorten(event.target));
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll(".filters :disabled")) field.disabled = false;
  count(); // coming back, browsers keep what was ticked
});

const copy = document.getElementById("copy");
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(new URL(copy.dataset.address, location.href).href);
  document.getElementById("copied").textContent = copy.dataset.done;
});

document.querySelector(".facets").open = matchMedia("(min-width: 64rem)").matches;
