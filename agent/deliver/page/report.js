// Large parts are embedded compressed; each is unpacked when its <details> is opened for the first time.
"use strict";
const CHUNK = 200000;

async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

// A megabyte of text at once would freeze the page; more of it comes on demand.
function fill(place, text) {
  const shown = document.createElement("pre");
  shown.tabIndex = 0;
  place.append(shown);
  let done = 0;
  const more = document.createElement("button");
  more.type = "button";
  const next = () => {
    shown.append(text.slice(done, done + CHUNK));
    done += CHUNK;
    more.textContent = `Show more (${Math.ceil((text.length - done) / 1000)} kB left)`;
    if (done >= text.length) more.remove();
  };
  more.addEventListener("click", next);
  if (text.length > CHUNK) place.append(more);
  next();
}

for (const details of document.querySelectorAll("details[data-part]")) {
  details.addEventListener("toggle", async () => {
    if (!details.open || details.dataset.done) return;
    details.dataset.done = "yes";
    const place = details.querySelector(".part");
    place.textContent = "";
    try {
      const text = await unpacked(details.dataset.part);
      if (details.dataset.markup) place.innerHTML = text;
      else fill(place, text);
    } catch (error) {
      place.textContent = `This part could not be unpacked: ${error}`;
    }
  });
}
// A link to something that is folded away opens it.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let box = target; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
openTarget();
// What scrolls sideways must be reached by the keyboard; what does not needs no stop there.
const watching = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".wide:not([role])")) watching.observe(box);
