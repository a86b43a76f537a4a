"""The registry in words: nothing that is written is left out, and what is said of a field is what compare does with it."""

from __future__ import annotations

import pytest

from sync_core.model import Side
from sync_core.rules.declaration import At, Entity, Field, Kind, Owner, Rule, Stream
from sync_core.rules.eligibility import CHECKS
from sync_core.rules.entities import ENTITIES
from sync_core.rules.rulebook import SETTINGS, eligibility_rules, field_rules

BOTH = frozenset(Side)


def thing(*fields: Field, rules: tuple[Rule, ...] = ()) -> Entity:
    return Entity(
        "things",
        "Things",
        "thing",
        crm=(Stream(Side.CRM, "thing", "thingid"),),
        xero=(Stream(Side.XERO, "Things", "ThingID"),),
        fields=fields,
        create_in=BOTH,
        rules=rules,
    )


def spoken(**more: object):
    spec = Field("name", "Name", Kind.TEXT, At("name", limit=10), At("Name"), **{"to": BOTH, **more})
    return field_rules([thing(spec)])[0]


def test_every_field_that_is_written_has_a_line():
    written = [(e.name, f.label) for e in ENTITIES for f in e.fields if f.to and f.crm and f.xero]
    assert [(rule.entity, rule.label) for rule in field_rules()] == written


def test_every_rule_of_the_registry_has_its_own_words():
    declared = sum(len(e.rules) for e in ENTITIES)
    said = eligibility_rules()
    assert len(said) >= declared
    assert all(rule.words and rule.words != rule.remark for rule in said)


@pytest.mark.parametrize(
    ("more", "owner"),
    [
        ({"owner": Owner.ASK}, "a person"),
        ({"owner": Owner.XERO}, "Xero"),
        ({"owner": Owner.CRM}, "Dynamics"),
        ({"owner": Owner.NEWER}, "the later change"),
        ({"owner": Owner.CRM, "to": frozenset({Side.CRM})}, "a person"),
        ({"once": True}, "it stays as it was"),
    ],
)
def test_the_owner_is_the_one_that_compare_follows(more, owner):
    assert spoken(**more).owner == owner


@pytest.mark.parametrize(("to", "way"), [(BOTH, "⇄ both ways"), ({Side.CRM}, "← to Dynamics"), ({Side.XERO}, "→ to Xero")])
def test_the_way_has_dynamics_on_its_left(to, way):
    assert spoken(to=frozenset(to)).way == way


def test_what_a_system_can_hold_is_said():
    assert spoken().words == "As it is written; at most 10 characters in Dynamics."


def test_a_declared_entity_needs_no_change_of_the_page():
    parent = Field("owner", "Owner", Kind.REF, At("_owner"), At("Owner.ID"), BOTH, entity="contacts", required=True)
    (field,) = field_rules([thing(parent)])
    rules = eligibility_rules([thing(parent, rules=(Rule("complete", "required", "Empty."),))])
    assert field.words == "By the linked contact."
    assert [rule.words for rule in rules] == ["Owner is filled in.", "Its owner is in Xero."]


def test_a_check_without_words_falls_back_to_its_remark(monkeypatch):
    monkeypatch.setitem(CHECKS, "newest", lambda *_: None)
    assert eligibility_rules([thing(rules=(Rule("newest", "newest", "It is new."),))])[0].words == "It is new."


def test_settings_have_a_default_and_words():
    assert all(spec.codes or spec.options[0][0] == "" for spec in SETTINGS)
    assert all(spec.label and spec.about for spec in SETTINGS)
