// Original, result and style print, deep-zoomed together. Says "painted" (to verdict.js) once original and result have
// stood on a visible page as sharp as their frames show them, be it as previews, and "opened" (to viewer_modes.js, faults.js
// and preload.js) once they can be moved; "broken" where a part of one could not be had.

import { tilesOf, viewerOf } from "./tiles.js";
import { showLayout, viewTools } from "./viewer_view.js";

const section = document.querySelector(".viewer");
const OPTIONS = {
  zoomPerScroll: 1.25,
  gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
};
const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Equal", "Minus", "Digit0", "NumpadAdd", "NumpadSubtract"];

/** Opens one figure; resolves when it can be moved. */
async function open(figure) {
  const tiles = await tilesOf(figure.dataset.tiles);
  const { viewer, opened } = viewerOf(figure.querySelector(".zoom"), tiles, OPTIONS);
  const pane = { name: figure.dataset.pane, figure, viewer, tiles, broken: false };
  viewer.addHandler("canvas-key", (event) => { event.preventDefaultAction = !KEYS.includes(event.originalEvent.code); });
  viewer.addHandler("tile-load-failed", () => { pane.broken = true; tellMissing(); });
  viewer.canvas.setAttribute("role", "application");
  viewer.canvas.setAttribute("aria-label", figure.dataset.label);
  figure.querySelector("a").inert = true; // the viewer stands before it
  await opened;
  return pane;
}

/** Says on the page that something of the pictures is missing: no verdict without original and result. */
function tellMissing() {
  section.querySelector(".before").textContent = "";
  section.querySelector(".now").textContent = section.dataset.missing;
}

/** Where not even the preview came, the frame says so in its place. */
async function tellInFrame(figure) {
  const told = figure.querySelector(".missing");
  await figure.querySelector("img").decode().catch(() => { told.hidden = false; });
  told.textContent = section.dataset.missing;
}

/** OpenSeadragon takes long to be read: it is asked for when the previews stand on the screen. */
function readOpenSeadragon() {
  const script = document.createElement("script");
  script.src = section.dataset.openseadragon;
  return new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${script.src} did not come`));
    document.head.append(script);
  });
}

/** Opens all figures; those that cannot be opened are left out, and told. */
async function openAll() {
  const figures = [...section.querySelectorAll("[data-pane]")];
  const opened = await Promise.allSettled(figures.map(open));
  const panes = opened.filter((each) => each.status === "fulfilled").map((each) => [each.value.name, each.value]);
  if (panes.length < figures.length) tellMissing();
  opened.forEach((each, place) => { if (each.status === "rejected") tellInFrame(figures[place]); });
  return Object.fromEntries(panes);
}

/** Puts one pane where another stands: to the pixel within the pair, else by the place in the whole picture. */
function follow(pane, leader) {
  const [to, from] = [pane.viewer.viewport, leader.viewer.viewport];
  const pair = pane.name !== "style" && leader.name !== "style";
  const scale = pair
    ? from.getContainerSize().x / to.getContainerSize().x
    : to.getHomeZoom() / from.getHomeZoom();
  const centre = from.getCenter(true);
  const stretch = (pane.tiles.height / pane.tiles.width) / (leader.tiles.height / leader.tiles.width);
  to.zoomTo(from.getZoom(true) * scale, null, true);
  to.panTo(new OpenSeadragon.Point(centre.x, centre.y * stretch), true);
}

/** Does all of the picture stand in the pane, as it did in the beginning? */
function fits({ viewer: { viewport } }) {
  const off = viewport.getCenter(true).distanceTo(viewport.getHomeBounds().getCenter());
  return Math.abs(viewport.getZoom(true) / viewport.getHomeZoom() - 1) < 0.01 && off < 0.01;
}

/** The panes move as the one that was touched last. */
class Link {
  constructor(panes) {
    this.panes = panes;
    this.leader = panes.result;
    this.withStyle = "style" in panes;
    this.fitted = true; // and stays so in a window of another size
    for (const pane of Object.values(panes)) {
      const takeOver = () => { this.leader = pane; };
      for (const name of ["canvas-press", "canvas-scroll", "canvas-key", "canvas-pinch"]) pane.viewer.addHandler(name, takeOver);
      let resized = false; // each finds a place of its own then; the last one finds the others in their new size
      pane.viewer.addHandler("after-resize", () => { resized = true; });
      pane.viewer.addHandler("viewport-change", () => {
        if (resized && this.fitted) pane.viewer.viewport.goHome(true);
        else if (this.leader === pane || resized) this.move();
        if (this.leader === pane && !resized) this.fitted = fits(pane);
        resized = false;
      });
    }
  }

  move() {
    const { original, result, style } = this.panes;
    if (this.leader !== style) {
      follow(this.leader === original ? result : original, this.leader);
      if (this.withStyle) follow(style, this.leader);
    } else if (this.withStyle) {
      follow(original, style);
      follow(result, original);
    }
  }

  toggleStyle() {
    this.withStyle = !this.withStyle;
    if (this.leader === this.panes.style) this.leader = this.panes.result;
    this.move();
    return this.withStyle;
  }
}

/** What the buttons below the pictures do. */
function tools(panes, link) {
  const zoom = (factor) => link.leader.viewer.viewport.zoomBy(factor).applyConstraints();
  return {
    in: () => zoom(1.5),
    out: () => zoom(1 / 1.5),
    fit: () => link.leader.viewer.viewport.goHome(),
    actual: () => {
      const { viewer, tiles } = link.leader; // one pixel of the picture on one of the screen
      viewer.viewport.zoomTo(tiles.width / (viewer.viewport.getContainerSize().x * devicePixelRatio));
    },
    link: (button) => button.setAttribute("aria-pressed", String(link.toggleStyle())),
    ...viewTools(panes, link),
  };
}

/** Wakes the buttons. */
function connect(panes) {
  const link = new Link(panes);
  const does = tools(panes, link);
  for (const button of section.querySelectorAll("[data-do]")) {
    button.disabled = button.dataset.do === "link" && !link.withStyle;
    button.addEventListener("click", () => does[button.dataset.do](button));
  }
  showLayout();
}

/** Resolves when what is there now was drawn: a page that nobody sees draws no frame. */
function drawn() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Resolves when the figure's preview stands in its frame with a pixel for each of the screen; fails where it has fewer. */
async function previewed(figure) {
  const image = figure.querySelector("img");
  await image.decode();
  const { naturalWidth: width, naturalHeight: height, clientWidth, clientHeight } = image;
  if (Math.min(clientWidth / width, clientHeight / height) * devicePixelRatio > 1) throw new Error("the frame shows more");
  await drawn();
}

/** Resolves when the pane's picture has all its tiles for this view, and they were drawn. */
async function tiled(pane) {
  await new Promise((resolve) => pane.viewer.world.getItemAt(0).whenFullyLoaded(resolve));
  await drawn();
  pane.figure.dataset.painted = "";
}

/** Says it of the pictures that a verdict is on. */
function say(what, detail) {
  section.dataset[what] = "";
  section.dispatchEvent(new CustomEvent(what, { detail }));
}

/** Opens all, and resolves to the panes when original and result have all that this view shows of them. */
async function opened() {
  await drawn();
  await readOpenSeadragon();
  const panes = await openAll();
  const pair = [panes.original, panes.result];
  if (!pair.every(Boolean)) throw new Error("a picture cannot be opened");
  connect(panes);
  if (panes.style) tiled(panes.style);
  await Promise.all(pair.map(tiled));
  if (pair.some(({ broken }) => broken)) throw new Error("a part of a picture is missing");
  return panes;
}

function start() {
  const pair = ["original", "result"].map((name) => section.querySelector(`[data-pane="${name}"]`));
  const opening = opened();
  opening.then((panes) => say("opened", panes), () => { tellMissing(); say("broken"); });
  Promise.any([Promise.all(pair.map(previewed)), opening]).then(() => say("painted"), () => { /* told by then */ });
}

start();
