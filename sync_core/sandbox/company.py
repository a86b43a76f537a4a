"""The demo company: deterministic for a seed, dated relative to a fixed day, as large as asked.

``demo_company()`` gives about 45 papers with one of each trouble (``TROUBLES``); ``invoices=N`` adds N
generated pairs for trials at scale.
"""

from __future__ import annotations

import random

from sync_core.sandbox import company_bulk, company_master
from sync_core.sandbox.company_sales import TODAY, everyday, new_in_dynamics
from sync_core.sandbox.company_troubles import PERIOD_LOCK_DATE, TROUBLES, Trouble, troubles
from sync_core.sandbox.world import Company

__all__ = ["TODAY", "TROUBLES", "Trouble", "demo_company"]


def demo_company(seed: int = 1, invoices: int = 0) -> Company:
    """Harbour & Pine Outfitters Ltd, with ``invoices`` generated pairs on top of the fixed papers."""
    chance = random.Random(seed)
    agreed, paid = everyday(chance)
    planted = troubles()
    more = company_bulk.generate(chance, invoices)
    return Company(
        name=company_master.COMPANY_NAME,
        organisation_short_code=company_master.SHORT_CODE,
        period_lock_date=PERIOD_LOCK_DATE,
        currencies=company_master.CURRENCIES,
        ledger_accounts=company_master.LEDGER,
        tax_rates=company_master.TAX_RATES,
        branding_themes=company_master.BRANDING_THEMES,
        contact_groups=company_master.CONTACT_GROUPS,
        parties=(*company_master.PARTIES, *more.parties),
        products=company_master.PRODUCTS,
        invoices=(*agreed, *planted.invoices, *new_in_dynamics(), *more.invoices),
        batches=tuple(planted.batches),
        payments=(*paid, *planted.payments, *more.payments),
        advances=tuple(planted.advances),
        credit_notes=tuple(planted.credit_notes),
    )
