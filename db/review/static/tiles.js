// A picture's tiles in an OpenSeadragon viewer, within the page's policy and without anything of other hosts.

const COMMON = {
  drawer: "canvas",
  maxTilesPerFrame: 16, // a first view is painted in one go; one for each frame, as it would be, takes that many frames
  showNavigationControl: false,
  animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.3,
  maxZoomPixelRatio: 8,
  visibilityRatio: 0.4,
  gestureSettingsTouch: { flickEnabled: false },
};

/** The picture's tiles as OpenSeadragon wants them, under our address. */
export async function tilesOf(address) {
  const answer = await fetch(`${address}info.json`);
  if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
  return { ...(await answer.json()), id: address.replace(/\/$/, "") };
}

/** A viewer of these tiles in the element, and when it can be moved. */
export function viewerOf(element, tiles, options) {
  spareStyleSheet();
  const viewer = OpenSeadragon({ ...COMMON, ...options, element, tileSources: tiles });
  const opened = new Promise((resolve, reject) => {
    viewer.addOnceHandler("open", resolve);
    viewer.addOnceHandler("open-failed", (event) => reject(new Error(event.message)));
  });
  return { viewer, opened };
}

/** OpenSeadragon puts a style sheet into the head, which the page's policy refuses, unless it finds one so marked. */
function spareStyleSheet() {
  if (document.querySelector("[data-openseadragon-mobile-css]")) return;
  const mark = document.createElementNS("nishiki", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
}
