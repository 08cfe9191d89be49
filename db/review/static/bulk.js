// A verdict for many: its buttons work when the sample's pictures stand on the page, and once.

const judging = document.getElementById("judging");
const told = document.getElementById("painting");

/** When the browser has painted what it decoded. */
function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}

/** Let her judge. */
function open() {
  for (const button of judging.querySelectorAll("button")) button.disabled = false;
  told.style.visibility = "hidden"; // keeps its place: nothing moves under her hand
}

judging.hidden = false;
judging.querySelector("form").addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
Promise.all([...document.querySelectorAll(".sample img")].map((picture) => picture.decode()))
  .then(painted)
  .then(open, () => { told.textContent = told.dataset.missing; });
