"""Claims of AIDN: Zong, Zha, Jiang, Liu, CVPR Workshops 2022, and its poster."""

from srlib.claims import Finding, as_printed, claim, derived, printed, rounds_to, rows, stated


@claim("aidn", "Section 4.3, Table 2", "AIEB adds 0.08 dB on Manga109 at the same parameters.")
def aieb_manga109() -> Finding:
    base = printed("aidn", "2", "Base", "Manga109", "psnr_y")
    aieb = printed("aidn", "2", "AIEB", "Manga109", "psnr_y")
    gain = aieb["value"].item() - base["value"].item()
    return Finding(
        as_printed(rounds_to(gain, "0.08")),
        f"The cells differ by {gain:+.2f} dB.",
        rows(
            stated("aidn", "Section 4.3", "gain", 0.08, "dB"),
            base,
            aieb,
            derived("AIEB minus Base", "gain", gain, unit="dB"),
        ),
    )
