"""The challenges for a notebook: what was printed over the years, and the score to move."""

import json
from html import escape

from IPython.display import HTML
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from papers.challenge import WEIGHTS, baseline, entries, scored
from papers.show.figures import foot
from srlib.viewer import framed

NO_DEVICE = "device not printed"
MOVED = {  # what the score depends on: its name, its unit, and how far it can be moved
    "runtime_ms": ("runtime", "ms", 20.0),
    "flops_g": ("FLOPs", "10⁹", 30.0),
    "params_m": ("parameters", "10⁶", 0.5),
}

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const form = document.querySelector("form"), out = document.querySelector("output");
const chosen = document.querySelector("select");
function show() {
  let sum = 0;
  for (const [name, weight] of Object.entries(data.weights)) {
    const value = Number(form.elements[name].value);
    form.querySelector(`[data-of=${name}]`).textContent = value.toFixed(3).replace(/\\.?0+$/, "");
    sum += weight * Math.exp(2 * value / data.baseline[name]);
  }
  const before = data.entries.filter((entry) => entry.score < sum).map((entry) => entry.entry);
  const place = before.length ? `behind ${before.join(", ")}` : "before every other entry";
  out.textContent = `Score ${sum.toFixed(3)}; ${place}.`;
}
chosen.addEventListener("change", () => {
  const entry = data.entries.find((one) => one.entry === chosen.value);
  for (const name of Object.keys(data.weights)) form.elements[name].value = entry[name];
  show();
});
form.addEventListener("input", (event) => { if (event.target !== chosen) show(); });
show();
"""
STYLE = """
:root { color-scheme: light; font-family: system-ui, sans-serif; }
body { margin: 0.5em; background: white; color: black; }
label { display: grid; grid-template-columns: minmax(6em, 11em) minmax(0, 1fr) 4em;
  gap: 1em; margin: 0.4em 0; }
input[type=range] { min-width: 0; width: 100%; }
output { font-weight: bold; }
"""


def headline() -> str:
    """What became of the numbers between the first and the last challenge, in two sentences."""
    table = entries()
    first = table[table["network"] == "e-rfdn"].iloc[0]
    ranked = scored()
    best = ranked.iloc[0]
    fewer = first["params_m"] / best["params_m"]
    same = ranked[ranked["score_counted"].notna()]
    moved = same.sort_values("score_counted")["entry"].iloc[0]
    stays = "and it stays first" if moved == best["entry"] else f"and {moved} is first"
    return (
        f"From {first['entry']} to {best['entry']}, the first of NTIRE 2026, the parameters fell "
        f"from {first['params_m']:g} to {best['params_m']:g} million, {fewer:.1f} times fewer. "
        f"{best['entry']}'s printed {best['flops_g']:g} G FLOPs are a part of its "
        f"{best['counted_flops_g']:.2f} G: with these its score would be "
        f"{best['score_counted']:.2f} in place of {best['score']:.2f}, {stays}."
    )


def over_the_years() -> Figure:
    """Printed parameters and runtimes by year; a runtime is compared on one device alone."""
    table = entries().assign(device=lambda rows: rows["device"].replace("", NO_DEVICE))
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    for axis, (name, title) in zip(
        axes, {"params_m": "parameters, 10⁶", "runtime_ms": "runtime, ms"}.items(), strict=True
    ):
        for device, rows in table.groupby("device", sort=False):
            axis.plot(rows["year"], rows[name], "o", label=device)
        axis.set(xlabel="challenge of", ylabel=title, yscale="log")
        axis.set_xticks(sorted(set(table["year"])))
    for row in table[table["network"] != ""].drop_duplicates("network").to_dict("records"):
        # left of the last year's points, where there is room; SPAN's is close above SPANV2's
        right = row["year"] < table["year"].max()
        axes[0].annotate(
            row["network"],
            (row["year"], row["params_m"]),
            xytext=(6 if right else -6, 5 if row["network"] == "span-28" else 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
        )
    axes[1].legend(title="measured on")
    foot(figure, "printed: papers/challenge/entries.csv")
    return figure


def movable_score(challenge: str = "NTIRE 2026") -> HTML:
    """A challenge's score by three sliders, with its entries to start from; needs no kernel."""
    against, table = baseline(challenge), scored(challenge)
    data = {
        "weights": WEIGHTS,
        "baseline": {name: float(against[name]) for name in WEIGHTS},
        "entries": table[["entry", *WEIGHTS, "score"]].to_dict("records"),
    }
    options = "".join(f"<option>{escape(entry)}</option>" for entry in table["entry"])
    first = table.iloc[0]
    sliders = "".join(
        f'<label><span>{title}, {unit}</span><input type="range" name="{name}" min="0" '
        f'max="{most}" step="{most / 1000}" value="{first[name]}"><b data-of="{name}"></b></label>'
        for name, (title, unit, most) in MOVED.items()
    )
    document = (
        f'<!doctype html><html lang="en"><title>{escape(challenge)}: score</title>'
        f"<style>{STYLE}</style><form><p>Start from <select aria-label='entry'>{options}</select>"
        f"</p>{sliders}<p><output></output></p></form>"
        f'<script type="application/json" id="data">{json.dumps(data)}</script>'
        f'<script type="module">{SCRIPT}</script></html>'
    )
    return HTML(f"<div>{framed(f'{challenge}: its score, to move', document, 190)}</div>")
