// The pictures of the next entry, fetched once those of this one are there: their previews, and as many of their tiles as
// its first view takes, so that they are there at once. Whoever goes on sooner waits for no more than they would have.

import { tilesOf } from "./tiles.js";

const section = document.querySelector(".viewer");
const SHARPEST = 2; // pixels of tiles for one of the screen: what OpenSeadragon asks for at most (its minPixelRatio)

/** The addresses of a picture's tiles, as far as it is looked at whole in a frame of this size. */
function* seenWhole(tiles, { x: width, y: height }) {
  const source = new OpenSeadragon.IIIFTileSource({ ...tiles, version: 3 }); // as it is told by info.json's context
  const shown = Math.min(width, (height * tiles.width) / tiles.height) * devicePixelRatio;
  for (let level = source.minLevel; level <= source.maxLevel; level += 1) {
    if (level > source.minLevel && source.getLevelScale(level) * tiles.width > SHARPEST * shown) return;
    const { x: columns, y: rows } = source.getNumTiles(level);
    for (let at = 0; at < columns * rows; at += 1) yield source.getTileUrl(level, at % columns, Math.floor(at / columns));
  }
}

/** Keeps a file in the browser's memory of what it fetched. */
async function fetched(address) {
  const answer = await fetch(address, { priority: "low" });
  await answer.blob();
}

/** Fetches one picture after the other: this page's own come first. */
async function preload(addresses, panes) {
  const frames = Object.values(panes).map(({ viewer }) => viewer.viewport.getContainerSize());
  for (const address of addresses) await fetched(`${address}preview.jpg`);
  for (const [place, address] of addresses.entries()) {
    const tiles = await tilesOf(address);
    for (const tile of seenWhole(tiles, frames[Math.min(place, frames.length - 1)])) await fetched(tile);
  }
  section.dataset.preloaded = "";
}

section?.addEventListener("opened", ({ detail: panes }) => {
  preload(section.dataset.next.split(" ").filter(Boolean), panes).catch(() => { /* it is fetched when it is looked at */ });
}, { once: true });
