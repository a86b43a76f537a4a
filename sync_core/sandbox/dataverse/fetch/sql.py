"""Reads the SELECT statements of the Web API's ``sql`` option, as Microsoft's Python client sends them.

What that client documents is taken: columns, aggregates, joins, conditions, groups, order, TOP and OFFSET.
"""

from __future__ import annotations

from dataclasses import replace

from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.model import ROOT, Attribute, Condition, Entity, Join, Junction, Order, Query
from sync_core.sandbox.dataverse.fetch.sql_words import Named, Words

COMPARISONS = {"=": "eq", "<>": "ne", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
TURNED = {"eq": "ne", "in": "not-in", "like": "not-like", "between": "not-between", "null": "not-null"}
AGGREGATES = ("count", "sum", "avg", "min", "max")
CLAUSES = ("join", "inner", "left", "where", "group", "order", "offset", "on", "outer")


def read_sql(text: str) -> Query:
    """The query in a ``sql`` parameter.

    Raises:
        DataverseError: what is not a SELECT of that kind.
    """
    return _Reader(text).query()


class _Reader(Words):
    """Recursive descent over the words of one statement."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._links: list[tuple[str, Entity]] = []
        self._root_alias = ""

    def query(self) -> Query:
        self.take("select")
        distinct = self.skip("distinct")
        top = self.whole() if self.skip("top") else 0
        columns = self.list_of(self._column)
        self.take("from")
        table, self._root_alias = self._table()
        while self.peek() in ("join", "inner", "left"):
            self._join()
        where = (self._disjunction(),) if self.skip("where") else ()
        groups = self.list_of(self.name) if self.skip("group") and self.take("by") else []
        orders = self.list_of(self._order) if self.skip("order") and self.take("by") else []
        skip, count = self._window()
        self.end()
        aggregate = bool(groups) or any(a.aggregate for _, a in columns)
        attributes = self._attributes(columns, groups, aggregate=aggregate)
        placed = tuple(self._placed(order, columns, aggregate=aggregate) for order in orders)
        links = self._tree(ROOT, attributes)
        root = Entity(table, attributes=attributes.get(ROOT, ()), filters=where, orders=placed, links=links)
        return Query(root, top or count, skip=skip, distinct=distinct, aggregate=aggregate)

    def _table(self) -> tuple[str, str]:
        name = self.take().lower()
        self.skip("as")
        alias = self.take() if self.peek() and self.peek() not in CLAUSES else name
        return name, alias.lower()

    def _column(self) -> tuple[str, Attribute]:
        if self.peek() == "*":
            raise refusals.bad_argument("SELECT * is not supported; name the columns.")
        function = self.peek() if self.peek() in AGGREGATES else ""
        if function and self.peek(1) == "(":
            alias, attribute = self._aggregate(function)
        else:
            alias, name = self.name()
            attribute = Attribute(name)
        if self.skip("as") or (self.peek() and self.peek() not in ("from", ",")):
            attribute = replace(attribute, alias=self.take())
        return alias, attribute

    def _aggregate(self, function: str) -> tuple[str, Attribute]:
        self.take()
        self.take("(")
        distinct = self.skip("distinct")
        alias, name = ("", "*") if self.skip("*") else self.name()
        self.take(")")
        kind = "count" if name == "*" else "countcolumn" if function == "count" else function
        return alias, Attribute(name, function, kind, distinct=distinct)

    def _join(self) -> None:
        kind = "outer" if self.skip("left") else "inner"
        self.skip("inner", "outer")
        self.take("join")
        table, alias = self._table()
        self.take("on")
        left = self.name()
        self.take("=")
        right = self.name()
        own, other = (left, right) if left[0] == alias else (right, left)
        if own[0] != alias or not other[0]:
            raise refusals.bad_argument("A join is ON one column of each of two tables, with the names of the tables.")
        self._links.append((self._known(other[0]), Entity(table, alias, Join(own[1], other[1], kind))))

    def _known(self, alias: str) -> str:
        return ROOT if alias in ("", self._root_alias) else alias

    def _disjunction(self) -> Junction:
        parts = [self._conjunction()]
        while self.skip("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Junction(any_of=True, parts=tuple(parts))

    def _conjunction(self) -> Junction:
        parts = [self._test()]
        while self.skip("and"):
            parts.append(self._test())
        return Junction(parts=tuple(parts))

    def _test(self) -> Condition | Junction:
        if self.skip("("):
            inner = self._disjunction()
            self.take(")")
            return inner
        alias, name = self.name()
        entity = self._known(alias) or None
        mark = self.take().lower()
        if mark == "is":
            operator = "not-null" if self.skip("not") else "null"
            self.take("null")
            return Condition(name, operator, entity=entity)
        negated = mark == "not"
        operator = COMPARISONS.get(mark) or (self.take().lower() if negated else mark)
        if operator not in COMPARISONS.values() and operator not in TURNED:
            raise self.wrong(mark)
        if operator in COMPARISONS.values() and self.is_name():
            other_alias, other = self.name()
            return Condition(name, operator, entity=entity, other=f"{self._known(other_alias)}.{other}")
        return Condition(name, TURNED[operator] if negated else operator, self._values(operator), entity)

    def _values(self, operator: str) -> tuple[str, ...]:
        if operator == "in":
            self.take("(")
            found = self.list_of(self.take)
            self.take(")")
            return tuple(found)
        first = self.take()
        if operator == "between":
            self.take("and")
            return first, self.take()
        return (first,)

    def _order(self) -> tuple[Named, bool]:
        named = self.name()
        descending = self.skip("desc")
        if not descending:
            self.skip("asc")
        return named, descending

    def _window(self) -> tuple[int, int]:
        if not self.skip("offset"):
            return 0, 0
        skip = self.whole()
        self.take("row", "rows")
        if not self.skip("fetch"):
            return skip, 0
        self.take("next", "first")
        count = self.whole()
        self.take("row", "rows")
        self.take("only")
        return skip, count

    def _attributes(
        self, columns: list[tuple[str, Attribute]], groups: list[Named], *, aggregate: bool
    ) -> dict[str, tuple[Attribute, ...]]:
        """The columns by the alias of their table."""
        grouped = {(self._known(alias), name) for alias, name in groups}
        found: dict[str, list[Attribute]] = {}
        for alias, attribute in columns:
            place = self._known(alias)
            if aggregate and not attribute.aggregate:
                if (place, attribute.name) not in grouped:
                    raise refusals.plain_attribute()
                attribute = replace(attribute, alias=attribute.alias or attribute.name, grouped=True)
            elif place != ROOT and not attribute.alias:
                attribute = replace(attribute, alias=attribute.name)
            found.setdefault(place, []).append(attribute)
        return {place: tuple(attributes) for place, attributes in found.items()}

    def _placed(self, order: tuple[Named, bool], columns: list[tuple[str, Attribute]], *, aggregate: bool) -> Order:
        (alias, name), descending = order
        meant = next((c for c in columns if not alias and c[1].alias.lower() == name), None)
        if aggregate:
            named = meant[1].alias if meant else name
            return Order(alias=named, descending=descending)
        if meant is not None:
            alias, name = meant[0], meant[1].name
        return Order(name, descending=descending, entity=self._known(alias) or None)

    def _tree(self, above: str, attributes: dict[str, tuple[Attribute, ...]]) -> tuple[Entity, ...]:
        return tuple(
            replace(link, attributes=attributes.get(link.alias, ()), links=self._tree(link.alias, attributes))
            for parent, link in self._links
            if parent == above
        )
