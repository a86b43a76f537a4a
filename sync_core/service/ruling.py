"""The rules as data: the field map, the eligibility rules, and what people set beside them. Changes are audited."""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.errors import Rejected
from sync_core.rules.people import Role
from sync_core.rules.rulebook import (
    SETTINGS,
    EligibilityRule,
    FieldRule,
    SettingSpec,
    eligibility_rules,
    field_rules,
    setting_spec,
)
from sync_core.service.desk import Desk
from sync_core.service.permission import needs
from sync_core.store import master_data


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it stands. ``options``: (value, what people call it), the default first. ``trouble``: what is wrong."""

    key: str
    label: str
    about: str
    value: str
    options: tuple[tuple[str, str], ...]
    trouble: str = ""


class Ruling(Desk):
    """Reads the registry, the cache and the state; writes settings to the state, from which the next run reads them."""

    def field_rules(self) -> list[FieldRule]:
        """The field map: every field that is written to a side, with its way, its owner and what is done with it."""
        return field_rules()

    def eligibility_rules(self) -> list[EligibilityRule]:
        """What must hold before a record is sent, per entity."""
        return eligibility_rules()

    def rule_settings(self) -> list[Setting]:
        """What people set beside the rules, each with the options that there are now."""
        kept = self._workspace.state.mappings()
        return [self._setting(spec, kept.get(spec.key, "")) for spec in SETTINGS]

    @needs(Role.ADMIN)
    def set_rule(self, key: str, value: str, *, who: str) -> None:
        """Set it from the next run on; "" goes back to the default. Raises Rejected for what is not among its options."""
        spec = setting_spec(key)
        if spec is None:
            raise Rejected(f"There is no setting called {key}. Reload the page.", field=key)
        state, now = self._workspace.state, self._workspace.clock.now()
        if value not in dict(self._options(spec)):
            raise Rejected(
                f"{spec.label}: {value} is not in use in Xero, so it cannot be chosen. Choose another one.", field=key
            )
        with state.together():
            before = state.mapping(key)
            if value:
                state.set_mapping(key, value, who, now)
            else:
                state.remove_mapping(key)
            state.append_audit(who, "setting", key, {"value": before}, {"value": value or None}, now)
        self._workspace.surroundings.forget()

    def _options(self, spec: SettingSpec) -> tuple[tuple[str, str], ...]:
        if not spec.codes:
            return spec.options
        bookable = [c for c in master_data.codes(self._workspace.cache, spec.codes) if c.bookable]
        return (("", "None chosen"), *((c.code, c.label) for c in bookable))

    def _setting(self, spec: SettingSpec, value: str) -> Setting:
        options = self._options(spec)
        if value in dict(options):
            return Setting(spec.key, spec.label, spec.about, value, options)
        known = {c.code: c.label for c in master_data.codes(self._workspace.cache, spec.codes)} if spec.codes else {}
        named = known.get(value, value)
        trouble = (
            f"{named} is archived in Xero, not there any more, or not taken on lines there: records that need it are blocked. "
            "Choose another one."
        )
        return Setting(spec.key, spec.label, spec.about, value, (*options, (value, named)), trouble)
