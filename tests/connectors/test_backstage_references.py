"""What Backstage's entities refer to."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.backstage.references import reference, sources, version


class TestReferences:
    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("pay", "group:shop/pay"),
            ("Other/Pay", "group:other/pay"),
            ("user:ada", "user:shop/ada"),
            ("user:default/ada", "user:default/ada"),
            ("", None),
            ("a/b/c", None),
            ("a:b:c", None),
            (None, None),
            (["pay"], None),
        ],
    )
    def test_a_reference_takes_what_it_does_not_say_from_where_it_stands(
        self, text: object, named: str | None
    ) -> None:
        found = reference(text, "group", "shop")
        assert (str(found) if found else None) == named

    @pytest.mark.parametrize(
        ("annotations", "repositories", "paths"),
        [
            ({"github.com/project-slug": "acme/cart"}, ("https://github.com/acme/cart",), ()),
            ({"gitlab.com/project-slug": "acme/shop/cart"}, ("https://gitlab.com/acme/shop/cart",), ()),
            (
                {"gitlab.com/project-slug": "acme/cart", "gitlab.com/instance": "git.acme.example"},
                ("https://git.acme.example/acme/cart",),
                (),
            ),
            (
                {
                    "github.com/project-slug": "acme/mono",
                    "backstage.io/source-location": "url:https://ghe.acme.example/acme/mono/tree/main/cart/",
                },
                ("https://ghe.acme.example/acme/mono",),
                ("cart",),
            ),
            (
                {"backstage.io/source-location": "url:https://u:p@git.example/acme/shop/cart.git?token=x"},
                ("https://git.example/acme/shop/cart",),
                (),
            ),
            (
                {"backstage.io/managed-by-location": "url:https://gitlab.com/a/b/c/-/blob/main/x/catalog-info.yaml"},
                ("https://gitlab.com/a/b/c",),
                ("x",),
            ),
            (
                {"backstage.io/managed-by-location": "url:https://github.com/a/b/blob/main/.backstage/cart.yaml"},
                ("https://github.com/a/b",),
                (),
            ),
            (
                {
                    "github.com/project-slug": "acme/cart",
                    "backstage.io/managed-by-location": "url:https://github.com/acme/catalog/tree/main/cart.yaml",
                },
                ("https://github.com/acme/cart",),
                (),
            ),
            (
                {"backstage.io/source-location": "url:https://gitea.example/a/b/src/branch/main/x"},
                ("https://gitea.example/a/b",),
                ("x",),
            ),
            ({"backstage.io/managed-by-location": "file:/srv/catalog.yaml"}, (), ()),
            ({"backstage.io/source-location": "url:https://["}, (), ()),
            ({"github.com/project-slug": 5, "backstage.io/source-location": None}, (), ()),
        ],
    )  # fmt: skip
    def test_where_the_code_is(
        self, annotations: dict[str, Any], repositories: tuple[str, ...], paths: tuple[str, ...]
    ) -> None:
        assert sources(annotations) == (repositories, paths)

    @pytest.mark.parametrize("text", ["1", "v1.2.3", "2.0.0-rc.1", "2024.11"])
    def test_what_looks_like_a_version_is_one(self, text: str) -> None:
        assert version(text) == text

    @pytest.mark.parametrize(
        "text", ["0123456789abcdef", "ada@demo.example", "true", "", "1 2", 3, "012345678901"]
    )
    def test_what_does_not_is_none(self, text: object) -> None:
        assert version(text) is None
