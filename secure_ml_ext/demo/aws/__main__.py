"""`python -m secure_ml_ext.demo.aws`: the embedded AWS as a command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m secure_ml_ext.demo.aws",
        description="A local stand-in for AWS (SageMaker, S3, IAM, …) on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--seed", choices=("demo", "none"), default="demo")
    parser.add_argument("--with-stdin", action="store_true", help="stop when standard input ends")
    parser.add_argument(
        "--ca-file", type=Path, help="where to write the certificate of the HTTPS proxy"
    )
    args = parser.parse_args(argv)
    try:
        from .server import serve
    except ImportError as error:
        print(f"The embedded AWS needs the extra [demo]: {error}", file=sys.stderr)
        return 2
    try:
        serve(args.port, args.seed, with_stdin=args.with_stdin, ca_file=args.ca_file)
    except OSError as error:
        print(f"Cannot serve on 127.0.0.1:{args.port}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
