"""The rules as tables: relationship types, settings, fields and what must hold before a record is sent."""

from __future__ import annotations

import streamlit as st

from console import actions
from console.door import service
from console.frame import say_what_came
from console.permitted import held
from console.texts import count, plain
from console.widgets import left, pick, right, table
from sync_core.service import ContactType, Service, Setting, TypeLine, data_flows

TABLES = {"account": "Account", "contact": "Contact"}
EVERY = "Every entity"


def types() -> None:
    """What each relationship type of Dynamics is in Xero; a selected line can be changed."""
    mapping = service().type_mapping()
    st.text(
        "Xero decides by itself who is a customer or a supplier, so a type is a contact group of that name. A record without "
        "a type, or with one that is not mapped, is a plain contact in no group."
    )
    on = st.toggle(
        "Bring relationship types to Xero", value=mapping.on, key=f"types_on_{mapping.on}", **held(Service.switch_types)
    )
    if on != mapping.on:
        actions.switch_types(on=on)
        st.rerun()
    columns = {
        "table": left("Table in Dynamics", width=140),
        "code": right("Value", width=70),
        "label": left("Relationship type", width=200),
        "type": left("In Xero", width=170),
        "decided": left("Chosen by", width=120),
        "records": right("Records", width=80),
    }
    ids = [f"{line.table}.{line.code}" for line in mapping.lines]
    picked = pick(
        "types",
        [_type_line(line) for line in mapping.lines],
        columns,
        ids,
        "Relationship types and their types in Xero",
        height="content",
    )
    chosen = next((line for line, at in zip(mapping.lines, ids, strict=True) if at == picked), None)
    if chosen is None:
        st.caption("Select a line to choose another type. It takes effect with the next sync.")
    else:
        _choose(chosen)


def _type_line(line: TypeLine) -> dict[str, str]:
    return {
        "table": TABLES.get(line.table, line.table),
        "code": line.code,
        "label": line.label or "added in Dynamics",
        "type": "Plain contact" if line.type is ContactType.CONTACT else f"Group {line.type}",
        "decided": "a person" if line.decided else "default",
        "records": f"{line.records:,}",
    }


def _choose(line: TypeLine) -> None:
    name = f"{TABLES.get(line.table, line.table)} · {line.label or line.code}"
    st.markdown(f"**{plain(name)}**, {count(line.records, 'record')}")
    key = f"type_{line.table}_{line.code}_{line.type}"

    def chosen() -> None:
        actions.map_type(line.table, line.code, str(st.session_state[key]))

    st.segmented_control(
        "In Xero",
        list(ContactType),
        default=line.type,
        key=key,
        required=True,
        on_change=chosen,
        **held(Service.set_type_mapping),
    )
    if line.decided:
        st.button(
            "Back to the default",
            key=f"{key}_default",
            on_click=actions.map_type,
            args=(line.table, line.code, None),
            **held(Service.set_type_mapping),
        )


def settings() -> None:
    """What people set beside the rules. Only codes that are in use in Xero are offered."""
    for setting in service().rule_settings():
        labels = dict(setting.options)
        key = f"rule_{setting.key}_{setting.value}"
        st.selectbox(
            setting.label,
            list(labels),
            index=list(labels).index(setting.value),
            format_func=lambda value, labels=labels: labels.get(value, value),
            key=key,
            **held(Service.set_rule, help=setting.about),
            width=460,
            on_change=_set,
            args=(setting, key),
        )
        if setting.trouble:
            st.warning(plain(setting.trouble))
    st.caption("A change takes effect with the next sync. It is kept in the audit trail.")


def tolerance() -> None:
    """What is small enough to be no difference, per currency. It stays visible as "within tolerance"."""
    st.text("A difference is within tolerance when the amount or the percentage of the larger total allows it.")
    rows = [
        {"currency": each.currency, "absolute": f"{each.absolute:f}", "percent": f"{each.percent:f} %"}
        for each in service().tolerances()
    ]
    columns = {"currency": left("Currency", width=90), "absolute": right("Amount", width=110)}
    columns["percent"] = right("Of the larger total", width=150)
    if rows:
        table(rows, columns, "Tolerance per currency", width="content")
    else:
        st.text("None: every cent is shown as a difference.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Currency", key="tolerance_currency", placeholder="NZD", width=110)
        st.text_input("Amount", key="tolerance_amount", placeholder="0.05", width=130)
        st.text_input("Percent", key="tolerance_percent", placeholder="0", width=110)
        st.button(
            "Keep it",
            on_click=_keep_tolerance,
            **held(Service.set_tolerance, help="Nought for both takes it away."),
        )
    say_what_came()


def _keep_tolerance() -> None:
    """Read at the click: text that the click itself takes out of its field is not yet in what the page was drawn with."""
    actions.set_tolerance(*(st.session_state[f"tolerance_{name}"] or "" for name in ("currency", "amount", "percent")))


def _set(setting: Setting, key: str) -> None:
    value = st.session_state[key]
    if value != setting.value:
        actions.set_rule(setting.key, value)


def _entity(key: str, names: set[str]) -> str | None:
    """The entity that is asked for, None for all."""
    labels = {flow.entity: flow.label for flow in data_flows() if flow.entity in names}
    options = [EVERY, *labels]
    chosen = st.selectbox(
        "Entity",
        options,
        index=options.index("invoices") if "invoices" in options else 0,
        format_func=lambda o: labels.get(o, o),
        key=key,
        bind="query-params",
        width=300,
    )
    return None if chosen == EVERY else chosen


def fields() -> None:
    """The field map, as the registry declares it."""
    rules = service().field_rules()
    st.text("Each field that is kept in step. Both sides changed: the owner's value stays, or a person is asked.")
    only = _entity("fields_of", {rule.entity for rule in rules})
    labels = {flow.entity: flow.label for flow in data_flows()}
    columns = {
        "entity": left("Entity", width=120),
        "label": left("Field", width=112),
        "crm": left("In Dynamics", width=186),
        "way": left("Way", width=104),
        "xero": left("In Xero", width=164),
        "owner": left("Owner on conflict", width=118),
        "words": left("What is done with it", width=210),
    }
    if only is not None:
        del columns["entity"]
    rows = (
        {name: labels[rule.entity] if name == "entity" else getattr(rule, name) for name in columns}
        for rule in rules
        if only in (None, rule.entity)
    )
    table(rows, columns, "Fields of Dynamics and Xero, their way and their owner")


def eligibility() -> None:
    """What must hold before a record is sent. A record that is held back says which of these failed."""
    labels = {flow.entity: flow.label for flow in data_flows()}
    st.text("A record goes to Xero when all of these hold. One that is held back goes by itself once they do.")
    rows = (
        {"entity": labels[rule.entity], "words": rule.words, "remark": rule.remark} for rule in service().eligibility_rules()
    )
    columns = {
        "entity": left("Entity", width=110),
        "words": left("What must hold", width=400),
        "remark": left("What its remark says otherwise", width=380),
    }
    table(rows, columns, "What must hold before a record is sent to Xero")
