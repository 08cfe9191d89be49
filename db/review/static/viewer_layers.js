// The pictures that may be compared, as layers of one pane: each is fetched when it is first asked for, laid over the
// pane's own, and seen when the modes say so.

import { tilesOf } from "./tiles.js";

/** What the lists offer, by name: its title, its tiles, and whether a machine coloured it. */
export function offered(list) {
  const told = ({ value, text, dataset }) => [value, { title: text.trim(), tiles: dataset.tiles, machine: "machine" in dataset }];
  return Object.fromEntries([...list.options].map(told));
}

export class Layers {
  constructor(pane, pictures) {
    Object.assign(this, { pane, pictures, viewport: pane.viewer.viewport });
    this.items = { [pane.name]: Promise.resolve(pane.viewer.world.getItemAt(0)) };
    this.shows = pane.figure.querySelector(".shows");
  }

  /** The picture of this name, within the frame of the pane's own. */
  of(name) {
    return this.lay(name, this.pictures[name].tiles);
  }

  /** Any tiles under a name; what cannot be fetched may be asked for again. */
  lay(name, address, compositeOperation = "source-over") {
    this.items[name] ??= this.#added(address, compositeOperation);
    this.items[name].catch(() => { delete this.items[name]; });
    return this.items[name];
  }

  async #added(address, compositeOperation) {
    const { viewer, tiles } = this.pane;
    const tileSource = await tilesOf(address);
    const fitBounds = new OpenSeadragon.Rect(0, 0, 1, tiles.height / tiles.width);
    return new Promise((resolve, reject) => {
      const options = { tileSource, fitBounds, opacity: 0, preload: true, compositeOperation };
      viewer.addTiledImage({ ...options, success: ({ item }) => resolve(item), error: reject });
    });
  }

  /** The first below all, the second next: views and what is not seen lie above. */
  async order(first, second) {
    const { world } = this.pane.viewer;
    const items = await Promise.all([this.of(first), this.of(second)]);
    items.forEach((item, place) => world.setItemIndex(item, place));
  }

  /** Draws each with its opacity, those not named not at all. */
  async draw(opacities) {
    for (const [name, item] of Object.entries(this.items)) (await item).setOpacity(opacities[name] ?? 0);
  }

  /** Cuts the first off right of a place on the screen and the second left of it, in shares of the pane's width. */
  async split(first, second, share) {
    for (const item of Object.values(this.items)) (await item).setClip(null);
    if (share === null) return;
    const { x, y } = this.viewport.getContainerSize();
    const line = this.viewport.pointFromPixel(new OpenSeadragon.Point(x * share, y / 2), true);
    (await this.of(first)).setClip(this.#beside(await this.of(first), line, 180));
    (await this.of(second)).setClip(this.#beside(await this.of(second), line, 0));
  }

  /** What of a picture stands right of the line as the view is turned; left of it with 180 degrees further. */
  #beside(item, line, further) {
    const { x: width, y: height } = item.getContentSize();
    const at = item.viewportToImageCoordinates(line);
    const [x, y] = [Math.min(Math.max(at.x, 0), width), Math.min(Math.max(at.y, 0), height)];
    switch ((this.viewport.getRotation(true) + further) % 360) {
      case 90: return new OpenSeadragon.Rect(0, 0, width, y);
      case 180: return new OpenSeadragon.Rect(0, 0, x, height);
      case 270: return new OpenSeadragon.Rect(0, y, width, height - y);
      default: return new OpenSeadragon.Rect(x, 0, width - x, height);
    }
  }

  /** What stands in the pane now, above it; what a machine coloured is always told as such. */
  caption(title, machine) {
    this.shows.textContent = title;
    this.pane.figure.classList.toggle("unmade", !machine);
  }
}
