"""Documents speak of what is there: tests named by guarantees, files linked to, verbs of make, our words."""

import ast
import re

import pytest

from tests.house.project import ROOT, modules, tracked, tree

PAGES = [name for name in tracked() if name.endswith(".md")]
UNWANTED = re.compile(r"(Manager|Helper|Util|Utils|Impl)$")


def test_every_test_that_a_guarantee_names_exists() -> None:
    page = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert named
    for file, function in named:
        assert (ROOT / file).is_file(), file
        if function:
            functions = {
                node.name
                for node in ast.walk(tree(file))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert function in functions, f"{file}::{function}"


def test_every_invariant_stands_in_the_guarantees_once() -> None:
    page = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (I\d+) \|", page, re.MULTILINE) == [f"I{number}" for number in range(1, 15)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_every_verb_of_the_makefile_that_a_page_names_is_real() -> None:
    verbs = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for page in PAGES:
        named = set(
            re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= verbs, page


def test_no_class_or_module_is_called_what_says_nothing() -> None:
    for name in modules("broker", "nodes", "regions"):
        assert not UNWANTED.search(name.removesuffix(".py").title().replace("_", "")), name
        classes = [node.name for node in ast.walk(tree(name)) if isinstance(node, ast.ClassDef)]
        assert not [each for each in classes if UNWANTED.search(each)], name
