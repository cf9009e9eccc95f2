// Keeps the status page current without loading it anew, so that nobody loses their place in it.
const EVERY_MS = 60_000;

async function renew() {
  const answer = await fetch(location.href);
  if (!answer.ok) throw new Error(answer.statusText);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
}

function say_that_it_is_old() {
  document.querySelector("[data-old]").hidden = false; // the next renewal hides it again
}

setInterval(() => renew().catch(say_that_it_is_old), EVERY_MS); // an appliance that does not answer is asked again
