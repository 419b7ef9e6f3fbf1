from pathlib import Path

base = Path("/opt/ml/processing")
rows = (base / "input/abalone.csv").read_text().splitlines()
fields = [row.split(",") for row in rows]
lines = [",".join([f[8], *(str(int(f[0] == sex)) for sex in "MFI"), *f[1:8]]) for f in fields]
third = len(lines) // 3
parts = {"train": lines[: 2 * third], "validation": lines[2 * third :: 2]}
parts["test"] = lines[2 * third + 1 :: 2]
for name, part in parts.items():
    (base / name / f"{name}.csv").write_text("\n".join(part))
