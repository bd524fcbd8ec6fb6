// Keeps what runs now up to date. When something has begun or ended the whole page is made anew, unless
// somebody is reading with the keyboard inside it.
const PACE = 5000;
const live = document.getElementById("live");
const told = document.getElementById("told");

function signature(root) {
  return root.querySelector("[data-signature]")?.dataset.signature;
}

function parsed(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

async function text(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

function say(words) {
  if (told.textContent !== words) told.textContent = words;
}

async function look() {
  try {
    const now = parsed(await text("/now"));
    const changed = signature(now) !== signature(live);
    if (!live.contains(document.activeElement)) {
      live.replaceChildren(...now.body.children);
    }
    const main = document.getElementById("main");
    if (changed && !main.contains(document.activeElement)) {
      const fresh = parsed(await text("/")).getElementById("main");
      for (const part of fresh.querySelectorAll("section")) {
        const old = document.getElementById(part.getAttribute("aria-labelledby"))?.closest("section");
        if (old && !old.contains(live)) old.replaceWith(part);
      }
      say("Something has begun or ended; the page is up to date.");
    } else if (changed) {
      say("Something has begun or ended; reload to see all of it.");
    } else {
      say("");
    }
  } catch {
    say("Kiln does not answer; what is here may be old.");
  }
  setTimeout(look, PACE);
}

setTimeout(look, PACE);
