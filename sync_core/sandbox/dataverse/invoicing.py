"""Rules of invoices and their lines: closed ones are read-only, and system pricing after each change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.pricing import ZERO, LineFigures, price_invoice, price_line
from sync_core.sandbox.dataverse.session import Session
from sync_core.sandbox.dataverse.values import holdable, rounded
from sync_core.sandbox.kernel import Row

ACTIVE, PAID, CANCELED = 0, 2, 3
READ_ONLY = "The entity cannot be updated because it is read-only"
LINE_READ_ONLY = "Cannot perform the action because the record is read only"
STATE = {"statecode", "statuscode"}
DETAIL_ERROR, NO_LIST, INACTIVE_LIST, NO_PRICE, NOT_IN_LIST, WRONG_CURRENCY = 1, 2, 3, 5, 11, 34
SKIP_ON_CREATE, SKIP_ON_UPDATE, SKIP_ON_UPSERT = 1, 2, 3


def before_invoice(session: Session, row: Row, old: Row | None, sent: set[str]) -> None:
    """Refuse edits of closed invoices, number new ones, and compute the totals."""
    if old is None:
        _number(session, row)
    else:
        _check_open(old, row, sent)
    if row.get("statecode", ACTIVE) != ACTIVE or session.skips_pricing:
        return
    if old is not None and sent & {"pricelevelid", "transactioncurrencyid"}:
        _reprice_lines(session, row)
    set_totals(session.env, row)


def _number(session: Session, row: Row) -> None:
    if row.get("invoicenumber") is None:
        count = len(session.env.store.rows("invoice")) + 1000
        row["invoicenumber"] = f"INV-{count:05d}-{row['invoiceid'][:6].upper()}"


def _check_open(old: Row, row: Row, sent: set[str]) -> None:
    state, wanted = old.get("statecode", ACTIVE), row.get("statecode", ACTIVE)
    if state == ACTIVE:
        return
    if state == CANCELED and wanted == PAID:
        raise errors.rule_broken("The invoice cannot be paid because it is not in active state.")
    if wanted != ACTIVE or sent - STATE:
        raise errors.rule_broken(READ_ONLY)


def before_line(session: Session, row: Row, old: Row | None, _sent: set[str]) -> None:
    """Refuse lines of closed invoices and lines that lack what pricing needs, then compute the amounts."""
    invoice = _open_invoice(session, row)
    row["transactioncurrencyid"] = invoice.get("transactioncurrencyid")
    row["exchangerate"] = invoice.get("exchangerate")
    check_line(session.env, row, fresh=old is None or old.get("productid") != row.get("productid"))
    if not _line_skips(session, row, creating=old is None):
        set_line_amounts(session.env, row, invoice)


def after_line(session: Session, row: Row, _old: Row | None, _sent: set[str]) -> None:
    session.touched[row["invoiceid"]] = None


def before_line_delete(session: Session, row: Row) -> None:
    if session.env.row("invoice", row["invoiceid"]) is not None:
        _open_invoice(session, row)


def after_line_delete(session: Session, row: Row) -> None:
    session.touched[row["invoiceid"]] = None


def _open_invoice(session: Session, line: Row) -> Row:
    invoice = session.env.row("invoice", line.get("invoiceid"))
    if invoice is None:
        raise errors.row_missing("invoice", str(line.get("invoiceid")))
    if invoice.get("statecode", ACTIVE) != ACTIVE:
        raise errors.rule_broken(LINE_READ_ONLY)
    return invoice


def check_line(env: Environment, row: Row, *, fresh: bool) -> None:
    """A write-in has no product; a product line has an active product and a unit."""
    if row.get("isproductoverridden"):
        if row.get("productid") is not None:
            raise errors.rule_broken("A write-in product cannot be combined with an existing product.")
        return
    product = env.row("product", row.get("productid"))
    if product is None:
        raise errors.rule_broken("The product id is missing: choose an existing product or add a write-in product.")
    if row.get("uomid") is None:
        raise errors.rule_broken("The unit id is missing.")
    if fresh and product.get("statecode") != ACTIVE:
        raise errors.rule_broken("You can only add active products.")


def _line_skips(session: Session, row: Row, *, creating: bool) -> bool:
    wanted = row.get("skippricecalculation", 0)
    if session.skips_pricing:
        return True
    if session.upsert and wanted == SKIP_ON_UPSERT:
        return True
    return bool(wanted == (SKIP_ON_CREATE if creating else SKIP_ON_UPDATE))


def set_line_amounts(env: Environment, row: Row, invoice: Row) -> None:
    """Compute a line's amounts, or leave them and say why in ``pricingerrorcode``."""
    error = header_error(env, invoice) or _find_price(env, row, invoice)
    row["pricingerrorcode"] = error
    if error:
        return
    digits = env.currency(invoice)[1]
    amounts = price_line(
        row["priceperunit"],
        row.get("quantity") or ZERO,
        volume_discount=row.get("volumediscountamount") or ZERO,
        discount=row.get("manualdiscountamount") or ZERO,
        tax=row.get("tax") or ZERO,
        digits=digits,
    )
    row["baseamount"], row["extendedamount"] = holdable(amounts.base), holdable(amounts.extended)


def header_error(env: Environment, invoice: Row) -> int:
    """The pricing error of an invoice's own columns; 0 for none."""
    price_list = env.row("pricelevel", invoice.get("pricelevelid"))
    if price_list is None:
        return NO_LIST
    if price_list.get("statecode", 0) != 0:
        return INACTIVE_LIST
    return 0 if price_list["transactioncurrencyid"] == invoice.get("transactioncurrencyid") else WRONG_CURRENCY


def _find_price(env: Environment, row: Row, invoice: Row) -> int:
    """Take the price of an existing product from the price list unless it is overridden or locked."""
    own = row.get("isproductoverridden") or row.get("ispriceoverridden")
    if not own and not invoice.get("ispricelocked"):
        price = list_price(env, invoice["pricelevelid"], row["productid"], row["uomid"])
        if price is None:
            return NOT_IN_LIST
        row["priceperunit"] = rounded(price, int(env.setting("pricingdecimalprecision")))
    return NO_PRICE if row.get("priceperunit") is None else 0


def list_price(env: Environment, price_list: str, product: str, unit: str) -> Decimal | None:
    """The price of a product in a price list and unit."""
    rows = env.store.rows("productpricelevel")
    for row_id in rows.children("productid", product):
        row = rows.get(row_id) or {}
        if row.get("pricelevelid") == price_list and row.get("uomid") == unit:
            amount: Decimal | None = row.get("amount")
            return amount
    return None


def lines_of(env: Environment, invoice_id: str) -> Iterator[Row]:
    rows = env.store.rows("invoicedetail")
    for row_id in rows.children("invoiceid", invoice_id):
        row = rows.get(row_id)
        if row is not None:
            yield row


def set_totals(env: Environment, row: Row) -> None:
    """Compute an invoice's totals from its lines, or leave them and say why in ``pricingerrorcode``."""
    lines = list(lines_of(env, row["invoiceid"]))
    error = header_error(env, row) or (DETAIL_ERROR if any(line.get("pricingerrorcode") for line in lines) else 0)
    row["pricingerrorcode"] = error
    if not error:
        write_totals(row, (figures(line) for line in lines), env.currency(row)[1])


def figures(line: Row) -> LineFigures:
    return LineFigures(line.get("baseamount") or ZERO, line.get("manualdiscountamount") or ZERO, line.get("tax") or ZERO)


def write_totals(row: Row, lines: Iterator[LineFigures], digits: int) -> None:
    """Put the computed totals into an invoice row."""
    amounts = price_invoice(
        lines,
        discount=row.get("discountamount") or ZERO,
        percentage=row.get("discountpercentage") or ZERO,
        freight=row.get("freightamount") or ZERO,
        digits=digits,
    )
    row["totallineitemdiscountamount"] = amounts.line_discount
    row["totallineitemamount"] = amounts.lines
    row["totaltax"] = amounts.tax
    row["totaldiscountamount"] = amounts.discount
    row["totalamountlessfreight"] = amounts.less_freight
    row["totalamount"] = holdable(amounts.total)


def _reprice_lines(session: Session, invoice: Row) -> None:
    """Compute every line again under the invoice's own columns as they are about to be."""
    for line in list(lines_of(session.env, invoice["invoiceid"])):
        changed = {**line, "transactioncurrencyid": invoice.get("transactioncurrencyid")}
        changed["exchangerate"] = invoice.get("exchangerate")
        set_line_amounts(session.env, changed, invoice)
        changed |= {"modifiedon": session.now, "modifiedby": session.user}
        session.env.store.put("invoicedetail", changed)


def recalculate(session: Session, invoice_id: str) -> None:
    """Compute an open invoice anew, lines first (the action RecalculatePrice).

    Raises:
        DataverseError: the invoice does not exist or is closed.
    """
    invoice = _open_invoice(session, {"invoiceid": invoice_id})
    _reprice_lines(session, invoice)
    session.touched[invoice_id] = None


def finish(session: Session) -> None:
    """Write the totals of the invoices whose lines changed, each as one new version."""
    touched, session.touched = session.touched, {}
    for invoice_id in touched:
        invoice = session.env.row("invoice", invoice_id)
        if invoice is None or session.skips_pricing:
            continue
        changed = {**invoice, "modifiedon": session.now, "modifiedby": session.user}
        changed["exchangerate"] = session.env.rate(changed)
        set_totals(session.env, changed)
        session.env.store.put("invoice", changed)
