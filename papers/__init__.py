"""What the papers print and claim, judged: ``papers.ledger.ledger()`` has every claim's verdict.

To add a claim, write a function without arguments in ``papers/PAPER/claims.py`` that returns a
``Judgement``, under ``@claim``, with the helpers of ``papers.evidence``. Say in your own words what
the paper says, take every number of ``because`` from the evidence, and judge by the rule that
``papers.claims`` has for the kind of claim. `dvc repro ledger` then writes its verdict into
``results/ledger.csv``, and tests/papers/test_claims.py holds that it stays what the code gives.
"""
