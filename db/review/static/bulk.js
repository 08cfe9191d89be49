// A verdict for many: its buttons work when the sample's pictures stand on the page; tells how many are left out.

import { prepare } from "./verdict_form.js";

const form = document.getElementById("bulk");
const told = document.getElementById("painting");
const ticks = [...form.querySelectorAll(".sample input")];

/** When the browser has painted what it decoded. */
function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}

/** Let the curator judge. */
function open() {
  for (const button of form.querySelectorAll("#judging button")) button.disabled = false;
  told.style.visibility = "hidden"; // keeps its place: nothing moves under the curator's hand
}

/** Tell how many are left out. */
function count() {
  document.getElementById("left").value = ticks.filter((tick) => tick.checked).length;
}

prepare(form);
form.querySelector("button").addEventListener("click", (event) => event.preventDefault()); // Enter in a box
form.addEventListener("change", count);
addEventListener("pageshow", count); // coming back, browsers keep what was ticked
Promise.all([...document.querySelectorAll(".sample .judged")].map((picture) => picture.decode()))
  .then(painted)
  .then(open, () => { told.textContent = told.dataset.missing; });
