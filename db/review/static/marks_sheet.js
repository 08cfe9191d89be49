// The original at any zoom with marks over it: places on the screen to pixels of the print and back, and the painting.

import { tilesOf, viewerOf } from "./tiles.js";

const OPTIONS = { gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false } };
const CROSS_PX = 14;

/** Opens the tiles; resolves when they can be drawn on. `result` is the address of the result's, where there is one. */
export async function openSheet(element, address, size, result, Kind = Sheet) {
  const { viewer, opened } = viewerOf(element.querySelector(".under"), await tilesOf(address), OPTIONS);
  await opened;
  viewer.canvas.tabIndex = -1; // the canvas above it has the keys
  return new Kind(viewer, element.querySelector(":scope > canvas"), size, result && (await laid(viewer, result)));
}

/** Lays the result over the original, unseen for now; both have one width, whatever their pixels. */
async function laid(viewer, address) {
  const tileSource = await tilesOf(address);
  return new Promise((success, error) => {
    viewer.addTiledImage({ tileSource, x: 0, y: 0, width: 1, opacity: 0, success: ({ item }) => success(item), error });
  });
}

/** A line through places of the canvas; one of no length would not be drawn. */
export function outline([[x, y], ...others]) {
  const line = new Path2D();
  line.moveTo(x, y);
  for (const place of [[x + 0.01, y], ...others]) line.lineTo(...place);
  return line;
}

export class Sheet {
  constructor(viewer, canvas, size, result) {
    Object.assign(this, { viewer, canvas, size, result });
    this.image = viewer.world.getItemAt(0);
    this.tilePx = this.image.getContentSize().x / size.width; // pixels of the tiles for one of the print
  }

  /** Place on the canvas → pixel of the print. */
  toPrint(x, y) {
    const found = this.image.viewerElementToImageCoordinates(new OpenSeadragon.Point(x, y));
    return [found.x / this.tilePx, found.y / this.tilePx];
  }

  /** The inverse. */
  toCanvas([x, y]) {
    const found = this.image.imageToViewerElementCoordinates(new OpenSeadragon.Point(x * this.tilePx, y * this.tilePx));
    return [found.x, found.y];
  }

  /** Pixels of the screen for one of the print. */
  get scale() {
    return this.toCanvas([1, 0])[0] - this.toCanvas([0, 0])[0];
  }

  /** Within the print, to a tenth of a pixel. */
  held([x, y]) {
    const within = (value, side) => Math.min(Math.max(Math.round(value * 10) / 10, 0), side - 0.1);
    return [within(x, this.size.width), within(y, this.size.height)].map((value) => Number(value.toFixed(1)));
  }

  holds([x, y]) {
    return x >= 0 && y >= 0 && x < this.size.width && y < this.size.height;
  }

  zoom(factor, [x, y] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]) {
    const { viewport } = this.viewer;
    viewport.zoomBy(factor, viewport.pointFromPixel(new OpenSeadragon.Point(x, y))).applyConstraints();
  }

  fit() {
    this.viewer.viewport.goHome();
  }

  /** The result under the marks, or the original. */
  showResult(shown) {
    this.result?.setOpacity(shown ? 1 : 0);
  }

  /** Moves the picture as far as a place needs to be seen. */
  show([x, y]) {
    const [wide, high] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const beyond = (value, side) => Math.max(0, value - side + CROSS_PX) + Math.min(0, value - CROSS_PX);
    const [dx, dy] = [beyond(x, wide), beyond(y, high)];
    if (!dx && !dy) return;
    const { viewport } = this.viewer;
    viewport.panBy(viewport.deltaPointsFromPixels(new OpenSeadragon.Point(dx, dy)), true);
  }

  /** All marks, later ones over earlier ones, and the cross-hair where there is one. */
  paint(marks, cross) {
    const ratio = devicePixelRatio;
    const [wide, high] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (this.canvas.width !== Math.round(wide * ratio)) this.canvas.width = Math.round(wide * ratio);
    if (this.canvas.height !== Math.round(high * ratio)) this.canvas.height = Math.round(high * ratio);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.lineCap = pen.lineJoin = "round";
    for (const mark of marks) this.paintMark(pen, mark);
    if (cross) this.paintCross(pen, this.toCanvas(cross));
  }

  /** White around it, so that ink on ink is seen. */
  paintMark(pen, mark) {
    const width = Math.max(1.5, mark.width * this.scale);
    const line = outline(mark.points.map((point) => this.toCanvas(point)));
    for (const [colour, wide] of [["white", width + 2], [mark.colour, width]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = wide;
      pen.stroke(line);
    }
  }

  paintCross(pen, [x, y]) {
    for (const [colour, width] of [["white", 4], ["black", 1.5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        pen.moveTo(x + 3 * dx, y + 3 * dy);
        pen.lineTo(x + CROSS_PX * dx, y + CROSS_PX * dy);
      }
      pen.stroke();
    }
  }
}
