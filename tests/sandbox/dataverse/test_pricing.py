"""System pricing: the formulas as a table, then the same through the API."""

from __future__ import annotations

from decimal import Decimal

import pytest
from dataverse_client import new_invoice, write_in

from sync_core.sandbox.dataverse.pricing import LineFigures, price_invoice, price_line

D = Decimal


@pytest.mark.parametrize(
    ("price", "quantity", "volume", "discount", "tax", "base", "extended"),
    [
        ("100", "2", "0", "0", "30", "200.00", "230.00"),
        ("100", "2", "5", "10", "27", "190.00", "207.00"),
        ("33.33", "1.5", "0", "0", "0", "50.00", "50.00"),
        ("1.005", "1", "0", "0", "0", "1.01", "1.01"),
        ("-50", "1", "0", "0", "-7.5", "-50.00", "-57.50"),
        ("50", "-2", "0", "0", "-15", "-100.00", "-115.00"),
        ("0", "7", "0", "0", "0", "0.00", "0.00"),
    ],
)
def test_line_formula(price, quantity, volume, discount, tax, base, extended):
    made = price_line(D(price), D(quantity), volume_discount=D(volume), discount=D(discount), tax=D(tax))
    assert (made.base, made.extended) == (D(base), D(extended))


@pytest.mark.parametrize(
    ("discount", "percentage", "freight", "less_freight", "off", "total"),
    [
        ("0", "0", "0", "290.00", "10.00", "335.00"),
        ("20", "0", "0", "270.00", "30.00", "315.00"),
        ("0", "10", "0", "261.00", "39.00", "306.00"),
        ("0", "0", "12.50", "290.00", "10.00", "347.50"),
        ("5", "3.33", "7", "275.34", "24.66", "327.34"),
    ],
)
def test_invoice_formula(discount, percentage, freight, less_freight, off, total):
    lines = [LineFigures(D(200), D(10), D(30)), LineFigures(D(100), D(0), D(15))]
    made = price_invoice(lines, discount=D(discount), percentage=D(percentage), freight=D(freight))
    assert (made.less_freight, made.discount, made.total) == (D(less_freight), D(off), D(total))
    assert (made.lines, made.tax, made.line_discount) == (D(290), D(45), D(10))


def totals(api, invoice):
    row = api.get(f"invoices({invoice})?$select=totallineitemamount,totaltax,totalamount,pricingerrorcode")
    return row["totallineitemamount"], row["totaltax"], row["totalamount"], row["pricingerrorcode"]


def test_totals_follow_every_change_of_a_line(api):
    invoice = new_invoice(api)
    first = api.create("invoicedetails", write_in(invoice, 100, 2, tax=30))
    assert totals(api, invoice) == (D(200), D(30), D(230), 0)
    second = api.create("invoicedetails", write_in(invoice, 9.99, 3, manualdiscountamount=4.97, tax=3.75))
    assert totals(api, invoice) == (D(225), D("33.75"), D("258.75"), 0)
    api.patch(f"invoicedetails({first})", {"quantity": 1, "tax": 15})
    assert totals(api, invoice) == (D(125), D("18.75"), D("143.75"), 0)
    assert api.send("DELETE", f"invoicedetails({second})").status_code == 204
    assert totals(api, invoice) == (D(100), D(15), D(115), 0)


def test_header_discounts_and_freight_are_counted(api):
    invoice = new_invoice(api, invoice_details=[write_in(None, 100, 2, tax=30)])
    api.patch(f"invoices({invoice})", {"discountpercentage": 10, "freightamount": 12.5})
    assert totals(api, invoice) == (D(200), D(30), D("222.50"), 0)


def test_amounts_sent_for_a_new_line_or_header_are_overwritten(api):
    line = write_in(None, 10, 1, baseamount=999, extendedamount=999)
    invoice = new_invoice(api, totalamount=5000, totaltax=77, invoice_details=[line])
    assert totals(api, invoice) == (D(10), D(0), D(10), 0)
    api.patch(f"invoices({invoice})", {"totalamount": 1})
    assert totals(api, invoice)[2] == D(10)


def test_a_unit_price_is_rounded_to_the_organisations_two_decimals(api):
    invoice = new_invoice(api, invoice_details=[write_in(None, 0.3333, 3)])
    line = api.rows(f"invoices({invoice})/invoice_details?$select=priceperunit,extendedamount")[0]
    assert (line["priceperunit"], line["extendedamount"]) == (D("0.3300"), D("0.9900"))


def product_line(api, invoice, **values):
    pack, each = api.id_of("products", "productnumber eq 'PACK'"), api.id_of("uoms", "name eq 'Each'")
    return {
        "invoiceid@odata.bind": f"/invoices({invoice})",
        "productid@odata.bind": f"/products({pack})",
        "uomid@odata.bind": f"/uoms({each})",
        "quantity": 2,
    } | values


@pytest.mark.parametrize(("override", "price"), [(False, D("159.50")), (True, D("99.00"))])
def test_a_product_takes_the_lists_price_unless_overridden(api, override, price):
    invoice = new_invoice(api)
    line = api.create("invoicedetails", product_line(api, invoice, priceperunit=99, ispriceoverridden=override))
    row = api.get(f"invoicedetails({line})?$select=priceperunit,baseamount,productnumber")
    assert (row["priceperunit"], row["baseamount"], row["productnumber"]) == (price, price * 2, "PACK")


def test_no_price_list_is_reported_and_nothing_computed(api):
    invoice = new_invoice(api)
    api.patch(f"invoices({invoice})", {"pricelevelid@odata.bind": None})
    line = api.create("invoicedetails", write_in(invoice, 10, 1))
    assert api.get(f"invoicedetails({line})")["pricingerrorcode"] == 2
    assert totals(api, invoice) == (D(0), D(0), D(0), 2)


def test_a_price_list_in_another_currency_is_reported(api):
    invoice = new_invoice(api, invoice_details=[write_in(None, 10, 1)])
    yen = api.id_of("pricelevels", "startswith(name,'JPY')")
    api.patch(f"invoices({invoice})", {"pricelevelid@odata.bind": f"/pricelevels({yen})"})
    assert totals(api, invoice)[3] == 34


def test_a_product_that_is_not_in_the_list(api):
    group, each = api.id_of("uomschedules", "name eq 'Default Unit'"), api.id_of("uoms", "name eq 'Each'")
    units = {"defaultuomscheduleid@odata.bind": f"/uomschedules({group})", "defaultuomid@odata.bind": f"/uoms({each})"}
    product = api.create("products", {"name": "New", "productnumber": "NEW", "quantitydecimal": 2} | units)
    invoice, bind = new_invoice(api), {"productid@odata.bind": f"/products({product})"}
    assert api.refused("POST", "invoicedetails", product_line(api, invoice) | bind) == (400, "0x80040265")
    api.send("POST", f"products({product})/Microsoft.Dynamics.CRM.PublishProductHierarchy", {})
    line = api.create("invoicedetails", product_line(api, invoice) | bind)
    assert api.get(f"invoicedetails({line})")["pricingerrorcode"] == 11
    assert totals(api, invoice)[3] == 1


def test_skipping_price_calculation_keeps_the_lines_own_amounts(api):
    invoice = new_invoice(api)
    values = {"skippricecalculation": 1, "baseamount": 10.01, "extendedamount": 11.51, "tax": 1.5}
    api.create("invoicedetails", write_in(invoice, 10, 1, **values))
    assert totals(api, invoice) == (D("10.01"), D("1.50"), D("11.51"), 0)


def test_the_integration_user_of_a_back_office_sets_totals_itself(api, person):
    organization = api.rows("organizations?$select=organizationid")[0]["organizationid"]
    api.patch(f"organizations({organization})", {"issopintegrationenabled": True})
    api.patch(f"systemusers({api.user})", {"isintegrationuser": True})
    invoice = new_invoice(api, totalamount=123.45, totaltax=16.1)
    assert totals(api, invoice)[1:3] == (D("16.10"), D("123.45"))
    person.patch(f"invoices({invoice})", {"description": "looked at"})
    assert totals(api, invoice)[2] == D(0)


def test_recalculate_price_refreshes_from_the_list(api):
    invoice = new_invoice(api)
    api.create("invoicedetails", product_line(api, invoice))
    price = api.rows("productpricelevels?$filter=amount eq 159.5")[0]["productpricelevelid"]
    api.patch(f"productpricelevels({price})", {"amount": 200})
    assert totals(api, invoice)[0] == D("319.00")
    answer = api.send("POST", "RecalculatePrice", {"entityLogicalName": "invoice", "entityId": invoice})
    assert (answer.status_code, totals(api, invoice)[0]) == (204, D("400.00"))


def test_a_line_can_go_without_a_new_total(api):
    invoice = new_invoice(api, invoice_details=[write_in(None, 10, 1)])
    line = api.rows(f"invoices({invoice})/invoice_details")[0]["invoicedetailid"]
    body = {"entityName": "invoicedetail", "entityId": line}
    assert api.send("POST", "DeleteOQOILineWithSkipPricingCalculation", body).status_code == 204
    assert totals(api, invoice)[2] == D(10)


def test_base_amounts_are_divided_by_the_rate(api):
    row = api.rows("invoices?$filter=name eq 'Invoice HP-3'&$select=totalamount,totalamount_base,exchangerate")[0]
    assert (row["totalamount"], row["totalamount_base"], row["exchangerate"]) == (D("79.75"), D("159.50"), D("0.5"))


def test_a_currency_without_decimals_rounds_to_whole_units(api):
    yen = api.id_of("transactioncurrencies", "isocurrencycode eq 'JPY'")
    prices = api.id_of("pricelevels", "startswith(name,'JPY')")
    binds = {
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({yen})",
        "pricelevelid@odata.bind": f"/pricelevels({prices})",
    }
    invoice = new_invoice(api, **binds, invoice_details=[write_in(None, 10.55, 3, tax=4.6)])
    assert totals(api, invoice)[:3] == (D(32), D(5), D(37))


def test_a_new_rate_counts_from_the_next_change_of_money(api):
    dollars = api.id_of("transactioncurrencies", "isocurrencycode eq 'USD'")
    invoice = api.id_of("invoices", "name eq 'Invoice HP-3'")
    api.patch(f"transactioncurrencies({dollars})", {"exchangerate": 0.8})
    assert api.get(f"invoices({invoice})")["exchangerate"] == D("0.5")
    api.create("invoicedetails", write_in(invoice, 0.25))
    row = api.get(f"invoices({invoice})")
    assert (row["exchangerate"], row["totalamount"], row["totalamount_base"]) == (D("0.8"), D(80), D(100))


def test_an_inactive_currency_is_refused(api):
    dollars = api.id_of("transactioncurrencies", "isocurrencycode eq 'USD'")
    api.patch(f"transactioncurrencies({dollars})", {"statecode": 1})
    body = {"name": "x", "transactioncurrencyid@odata.bind": f"/transactioncurrencies({dollars})"}
    assert api.refused("POST", "accounts", body) == (400, "0x80040265")


def test_amounts_too_large_to_hold_are_refused(api):
    line = write_in(new_invoice(api), 922337203685477, 99999999999)
    assert api.refused("POST", "invoicedetails", line) == (400, "0x80044330")


def test_a_price_list_holds_one_price_for_a_product_and_unit(api):
    price = api.rows("productpricelevels?$filter=amount eq 159.5")[0]
    body = {
        "pricelevelid@odata.bind": f"/pricelevels({price['_pricelevelid_value']})",
        "productid@odata.bind": f"/products({price['_productid_value']})",
        "uomid@odata.bind": f"/uoms({price['_uomid_value']})",
        "amount": 1,
    }
    assert api.refused("POST", "productpricelevels", body) == (400, "0x80040265")
    assert api.refused("PATCH", f"productpricelevels({price['productpricelevelid']})", {"amount": -1})[0] == 400


@pytest.mark.parametrize(("mode", "kept"), [(0, False), (2, True), (3, True)])
def test_skipping_on_update(api, mode, kept):
    invoice = new_invoice(api, invoice_details=[write_in(None, 10)])
    line = api.rows(f"invoices({invoice})/invoice_details")[0]["invoicedetailid"]
    api.patch(f"invoicedetails({line})", {"skippricecalculation": mode, "extendedamount": 11, "baseamount": 11})
    assert api.get(f"invoicedetails({line})")["extendedamount"] == (D(11) if kept else D(10))
