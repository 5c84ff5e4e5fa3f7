// A drawing of the companion, as part of the page: so it has the chosen colour, and wears what the face up there wears.

/** What the face wears, and where a drawing has room for it. One that is dressed up already has none. */
function dress(picture) {
  const face = document.querySelector("[data-face]");
  const worn = face?.querySelector(`[data-wears="${face.dataset.persona}"]`);
  if (!worn) return;
  picture.querySelector(`.on-${worn.dataset.on}`)?.append(...[...worn.children].map((part) => part.cloneNode(true)));
}

/** Put the picture of this address into its place. Without a line the place stays empty; the caption says what it is. */
export async function draw(place, address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return;
    const read = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
    const picture = document.importNode(read.documentElement, true);
    dress(picture);
    place.replaceChildren(picture);
  } catch {
    // No line just now.
  }
}
