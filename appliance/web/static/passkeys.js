// A form that a passkey can answer: its button asks the device, and the form brings the answer to the panel.
// Without scripts, or in a browser without passkeys, the button stays hidden and everything else works.
const ways = {
  create: async (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: async (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

// What is said, in the language of the page, stands in the element that says it.
const told = { InvalidStateError: "known", NotAllowedError: "unused", SecurityError: "elsewhere" };

async function answer(button) {
  const form = button.form;
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  try {
    const made = await ways[button.dataset.passkey](JSON.parse(button.dataset.options));
    form.elements[button.dataset.answer].value = JSON.stringify(made.toJSON());
    button.disabled = true;
    form.submit(); // what is left empty was asked for in place of this
  } catch (error) {
    problem.textContent = problem.dataset[told[error.name] ?? "silent"];
    problem.hidden = false;
  }
}

addEventListener("DOMContentLoaded", () => {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  for (const part of document.querySelectorAll("[data-passkey-part]")) part.hidden = false;
  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.addEventListener("click", () => { if (button.dataset.passkey === "get" || button.form.reportValidity()) answer(button); });
  }
});
