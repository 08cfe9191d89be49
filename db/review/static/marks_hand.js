// The hand that draws: pointer and keys on the sheet become marks, erasures and colours taken.

const STEP_PX = 8;
const FINEST_PX = 1;
/** Screen pixels between two points of a stroke, at least. */
const REACH_PX = 6;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Hand {
  /** `desk` knows tool and pen, tells what happened, and takes a colour of the result. */
  constructor(sheet, list, desk) {
    Object.assign(this, { sheet, list, desk, stroke: null, cross: null, pointer: null });
    const { canvas } = sheet;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event));
    canvas.addEventListener("pointercancel", () => this.drop());
    canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.cross = null; this.paint(); });
    for (const name of ["update-viewport", "resize"]) sheet.viewer.addHandler(name, () => this.paint());
  }

  paint() {
    this.sheet.paint(this.stroke ? [...this.list.marks, this.stroke] : this.list.marks, this.cross);
  }

  /** The pixel of the print under a pointer, to the fraction: offsetX knows whole pixels of the screen only. */
  under(event) {
    const { left, top } = this.sheet.canvas.getBoundingClientRect();
    return this.sheet.toPrint(event.clientX - left, event.clientY - top);
  }

  press(event) {
    if (event.button !== 0 || this.pointer !== null) return;
    const place = this.under(event);
    if (!this.sheet.holds(place)) return;
    this.cross = null;
    if (!this.desk.draws) return this.use(place);
    this.pointer = event.pointerId;
    this.sheet.canvas.setPointerCapture(event.pointerId);
    this.begin(place);
  }

  drag(event) {
    if (event.pointerId !== this.pointer) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) this.extend(this.under(move));
    this.paint();
  }

  lift(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.end();
  }

  /** The wheel zooms about the pointer, as it does where nothing is drawn. */
  turn(event) {
    event.preventDefault();
    this.sheet.zoom(event.deltaY < 0 ? 1.25 : 0.8, [event.offsetX, event.offsetY]);
  }

  begin(place) {
    if (this.list.points >= this.desk.most) return this.desk.tell("most", { most: this.desk.most });
    this.stroke = { points: [this.sheet.held(place)], ...this.desk.pen };
    this.paint();
  }

  /** Points closer than the screen shows are left out. */
  extend(place) {
    if (!this.stroke || this.list.points + this.stroke.points.length >= this.desk.most) return;
    const [x, y] = this.sheet.held(place);
    const [lastX, lastY] = this.stroke.points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) * this.sheet.scale >= FINEST_PX) this.stroke.points.push([x, y]);
  }

  end() {
    const done = this.stroke;
    this.stroke = null;
    if (done) this.list.add(done);
  }

  drop() {
    this.stroke = this.pointer = null;
    this.paint();
  }

  /** Whatever the tool does at one place. */
  use(place) {
    if (this.desk.tool === "pick") this.desk.pick(place);
    else if (!this.list.erase(place, REACH_PX / this.sheet.scale)) this.desk.tell("nothing");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.step(arrow, event.shiftKey ? 1 : STEP_PX);
    else if (event.key === " ") this.dot();
    else if (event.key === "Enter") this.toggle();
    else if (event.key === "Escape" && this.stroke) this.drop();
    else return;
    event.preventDefault();
  }

  /** Where the cross-hair is; the first key puts it into the middle of what is seen. */
  here() {
    const { canvas } = this.sheet;
    this.cross ??= this.sheet.held(this.sheet.toPrint(canvas.clientWidth / 2, canvas.clientHeight / 2));
    return this.cross;
  }

  step([dx, dy], px) {
    const [x, y] = this.sheet.toCanvas(this.here());
    this.cross = this.sheet.held(this.sheet.toPrint(x + dx * px, y + dy * px));
    this.extend(this.cross);
    this.sheet.show(this.sheet.toCanvas(this.cross));
    this.paint();
  }

  dot() {
    const place = this.here();
    if (!this.desk.draws) return this.use(place);
    if (this.stroke) return;
    this.begin(place);
    this.end();
    this.said("dot");
  }

  toggle() {
    const place = this.here();
    if (!this.desk.draws) return this.use(place);
    if (this.stroke) this.end();
    else this.begin(place);
    this.said(this.stroke ? "begun" : "ended");
  }

  said(what) {
    const [x, y] = this.cross.map(Math.round);
    this.desk.tell(what, { x, y });
  }
}
