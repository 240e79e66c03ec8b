function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "srlib-wipe";
  const under = document.createElement("img");
  const over = document.createElement("img");
  over.className = "over";
  const bar = document.createElement("div");
  bar.className = "bar";
  box.append(under, over, bar);
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100 });
  slider.setAttribute("aria-label", "position of the cut in percent");
  el.append(box, slider);

  const place = (percent) => {
    model.set("position", Math.max(0, Math.min(100, Math.round(percent))));
    model.save_changes();
  };
  const cut = () => {
    const percent = model.get("position");
    slider.value = percent;
    bar.style.left = percent + "%";
    over.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
  };
  const load = () => {
    over.src = model.get("left");
    under.src = model.get("right");
    over.alt = "left reconstruction";
    under.alt = "right reconstruction";
  };
  slider.addEventListener("input", () => place(+slider.value));
  box.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const area = box.getBoundingClientRect();
    place((100 * (event.clientX - area.left)) / area.width);
  });
  box.addEventListener("dragstart", (event) => event.preventDefault());
  model.on("change:position", cut);
  model.on("change:left change:right", load);
  load();
  cut();
}
export default { render };
