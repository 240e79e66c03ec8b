// The viewer over all kept pictures; the page's address chooses image and methods.
import { mount } from "./viewer.js";

const data = JSON.parse(document.getElementById("srlib-pictures").textContent);
const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const named = (image, name) => image.pictures.find((one) => plain(one.name) === plain(name))?.name;

function chosen() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const [left, right] = ["left", "right"].map((side) => asked.get(side));
  const fits = (image) =>
    (!asked.has("image") || plain(image.name).startsWith(plain(asked.get("image")))) &&
    [left, right].every((name) => !name || named(image, name));
  const first = data.images.find(fits);
  if (!first) return data;
  return {
    ...data,
    images: [first, ...data.images.filter((image) => image !== first)],
    left: named(first, left || "Bicubic") || first.pictures[0].name,
    right: named(first, right || "") || first.pictures.at(-1).name,
  };
}

const viewer = mount(document.getElementById("srlib-look"), chosen());
addEventListener("hashchange", () => viewer.show(chosen()));
