// Mark faults: boxes on the result around what is wrong, sent after each change; starts when viewer.js has opened them.

const form = document.querySelector("#faults");
const opener = document.querySelector("#mark-faults");
const told = form?.querySelector(".told-faults");
const LEAST = 0.005; // of the picture's edge: less is a click
const STEP = 0.01;

let result; // the pane
let mine = [];
let others = [];
let sending = Promise.resolve();

function tell(what, values = {}) {
  told.textContent = form.dataset[what].replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

function wordOf(kind) {
  return form.querySelector(`input[name="kind"][value="${CSS.escape(kind)}"]`).dataset.word;
}

function within(value, most) {
  return Math.min(Math.max(value, 0), most);
}

/** The box as it lies in the picture, cut off at its edges. */
function cut([left, top, width, height]) {
  const [x, y] = [within(left, 1), within(top, 1)];
  return [x, y, within(left + width, 1) - x, within(top + height, 1) - y];
}

/** The same, moved back in where it would leave the picture. */
function moved([left, top, width, height]) {
  const [w, h] = [Math.min(Math.max(width, LEAST * 2), 1), Math.min(Math.max(height, LEAST * 2), 1)];
  return [within(left, 1 - w), within(top, 1 - h), w, h];
}

/** Where a pointer is, in shares of the picture. */
function shareAt(event) {
  const { viewport } = result.viewer;
  const frame = result.viewer.element.getBoundingClientRect();
  const at = viewport.pointFromPixel(new OpenSeadragon.Point(event.clientX - frame.left, event.clientY - frame.top), true);
  return [at.x, (at.y * result.tiles.width) / result.tiles.height];
}

function rectOf([left, top, width, height]) {
  const ratio = result.tiles.height / result.tiles.width;
  return new OpenSeadragon.Rect(left, top * ratio, width, height * ratio);
}

/** One box on the picture; one's own is a button that moves. */
function elementOf({ kind, box, curator }) {
  const element = document.createElement(curator ? "div" : "button");
  element.className = `fault-box${curator ? " others" : ""}`;
  const label = document.createElement("span");
  label.textContent = curator ? `${wordOf(kind)} · ${curator}` : wordOf(kind);
  element.append(label);
  if (curator) return element;
  element.type = "button";
  const [left, top, width, height] = box.map((each) => Math.round(each * 100));
  const values = { kind: wordOf(kind), left, top, width, height };
  element.setAttribute("aria-label", form.dataset.box.replace(/\{(\w+)\}/g, (_, name) => values[name]));
  return element;
}

/** Draws all boxes anew; the one at this place keeps the focus. */
function draw(focused = -1) {
  result.viewer.clearOverlays();
  for (const each of others) result.viewer.addOverlay({ element: elementOf(each), location: rectOf(each.box) });
  mine.forEach((each, place) => {
    const element = elementOf(each);
    element.addEventListener("keydown", (event) => byKey(event, place));
    element.addEventListener("pointerdown", (event) => drag(event, place, element));
    result.viewer.addOverlay({ element, location: rectOf(each.box) });
    if (place === focused) element.focus({ preventScroll: true });
  });
}

/** Keeps what is drawn now; one answer is awaited before the next is asked for, so that the last one stands. */
function keep() {
  form.elements.boxes.value = JSON.stringify(mine);
  const body = new FormData(form);
  body.delete("kind");
  body.set("drawing", "true");
  const count = mine.length;
  tell("sending");
  sending = sending.then(() => send(new URLSearchParams(body), count));
}

async function send(body, number) {
  const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
  if (answer?.redirected) tell("signedOut");
  else if (!answer?.ok) tell("notKept");
  else tell("kept", { number });
}

function changed(place) {
  draw(place);
  keep();
}

function add(box) {
  const most = Number(form.dataset.mostBoxes);
  if (mine.length >= most) return tell("most", { most });
  mine.push({ kind: form.elements.kind.value, box });
  return changed(mine.length - 1);
}

/** Arrow keys move a box, with Shift they change its size; Delete takes it off. */
function byKey(event, place) {
  const sides = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  if (event.key in sides) {
    const [x, y] = sides[event.key];
    const [left, top, width, height] = mine[place].box;
    mine[place].box = moved(event.shiftKey ? [left, top, width + x, height + y] : [left + x, top + y, width, height]);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    mine.splice(place, 1);
  } else return;
  event.preventDefault();
  event.stopPropagation();
  changed(Math.min(place, mine.length - 1));
}

/** Follows a pointer until it is lifted. */
function follow(event, move, end) {
  const target = event.currentTarget;
  const lifted = new AbortController();
  target.setPointerCapture(event.pointerId);
  target.addEventListener("pointermove", move, { signal: lifted.signal });
  for (const name of ["pointerup", "pointercancel"]) {
    target.addEventListener(name, (last) => { lifted.abort(); end(last); }, { signal: lifted.signal });
  }
}

/** Moves a box with the pointer. */
function drag(event, place, element) {
  if (!opened()) return;
  event.stopPropagation();
  const [fromX, fromY] = shareAt(event);
  const [left, top, width, height] = mine[place].box;
  follow(event, (now) => {
    const [x, y] = shareAt(now);
    mine[place].box = moved([left + x - fromX, top + y - fromY, width, height]);
    result.viewer.updateOverlay(element, rectOf(mine[place].box));
  }, () => { if (mine[place].box[0] !== left || mine[place].box[1] !== top) changed(place); });
}

/** Draws a new box with the pointer. */
function begin(event) {
  if (!opened() || event.button || event.target.closest(".fault-box")) return;
  if (otherShown()) return;
  const [fromX, fromY] = shareAt(event);
  const element = document.createElement("div");
  element.className = "fault-box";
  const boxTo = (now) => {
    const [x, y] = shareAt(now);
    return cut([Math.min(x, fromX), Math.min(y, fromY), Math.abs(x - fromX), Math.abs(y - fromY)]);
  };
  result.viewer.addOverlay({ element, location: rectOf(boxTo(event)) });
  follow(event, (now) => result.viewer.updateOverlay(element, rectOf(boxTo(now))), (last) => {
    const box = boxTo(last);
    result.viewer.removeOverlay(element);
    if (box[2] >= LEAST && box[3] >= LEAST) add(box);
  });
}

/** A box in the middle of what is shown of the picture, however it is turned. */
function addInTheMiddle() {
  if (otherShown()) return;
  const { width, height } = result.viewer.viewport.getBoundsNoRotate(true);
  const { x, y } = result.viewer.viewport.getCenter(true);
  const ratio = result.tiles.width / result.tiles.height;
  add(moved([x - width * 0.1, (y - height * 0.1) * ratio, width * 0.2, height * 0.2 * ratio]));
}

/** Does another picture stand in the result's place? Then no box is drawn, and it is said why. */
function otherShown() {
  const shown = result.figure.matches(".other");
  if (shown) tell("other");
  return shown;
}

function opened() {
  return document.documentElement.classList.contains("faulting");
}

function open() {
  const now = document.documentElement.classList.toggle("faulting");
  opener.setAttribute("aria-expanded", String(now));
  result.viewer.setMouseNavEnabled(!now);
  if (!now) return;
  tell("drag");
  result.figure.scrollIntoView({ block: "start" });
}

document.querySelector(".viewer")?.addEventListener("opened", (event) => {
  if (!opener) return;
  result = event.detail.result;
  mine = JSON.parse(form.elements.boxes.value);
  others = JSON.parse(form.dataset.others);
  opener.disabled = false;
  opener.addEventListener("click", open);
  form.querySelector("#add-box").addEventListener("click", addInTheMiddle);
  for (const box of form.querySelectorAll("[name=whole]")) box.addEventListener("change", keep);
  form.addEventListener("submit", (sent) => sent.preventDefault());
  result.viewer.canvas.addEventListener("pointerdown", begin);
  draw();
}, { once: true });
