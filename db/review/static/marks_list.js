// The marks as they were drawn, with every step back and forth. Knows neither picture nor page.

/** How far a point lies from a piece of a stroke. */
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx || dy ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** Does a mark lie here? */
function touches(mark, place, reach) {
  const near = mark.width / 2 + reach;
  return mark.points.some((point, n) => distance(place, point, mark.points[n + 1] ?? point) <= near);
}

export class MarkList {
  /** `changed` is called after each step. */
  constructor(marks, changed) {
    this.marks = marks;
    this.begun = marks;
    this.past = [];
    this.future = [];
    this.changed = changed;
  }

  get points() {
    return this.marks.reduce((sum, mark) => sum + mark.points.length, 0);
  }

  /** Is there something that was not sent yet? */
  get unsent() {
    return this.marks !== this.begun;
  }

  become(marks) {
    this.past.push(this.marks);
    this.future = [];
    this.marks = marks;
    this.changed();
  }

  add(mark) {
    this.become([...this.marks, mark]);
  }

  /** Takes the uppermost mark at a place away; false: there is none. */
  erase(place, reach) {
    const found = this.marks.findLast((mark) => touches(mark, place, reach));
    if (found) this.become(this.marks.filter((mark) => mark !== found));
    return Boolean(found);
  }

  clear() {
    if (this.marks.length) this.become([]);
  }

  undo() {
    if (!this.past.length) return;
    this.future.push(this.marks);
    this.marks = this.past.pop();
    this.changed();
  }

  redo() {
    if (!this.future.length) return;
    this.past.push(this.marks);
    this.marks = this.future.pop();
    this.changed();
  }
}
