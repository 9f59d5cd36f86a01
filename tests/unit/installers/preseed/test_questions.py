"""Debconf templates become a file of known questions, and are read back from it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.installers.preseed.questions import Question, from_templates, read, registered, write

TEMPLATES = """Template: pkgsel/upgrade
Type: select
Default: safe-upgrade
Choices: none, safe-upgrade, full-upgrade
Description: Upgrade?
 Type: of nothing

Template: apt-setup/services-select
Type: multiselect
Choices-C: security, updates
Choices: security updates, release updates
Choices-da.UTF-8: sikkerhed, andet

Template: partman/choose_partition
Type: select
Choices: ${CHOICES}

Template: some/progress
Type: text
Description: Working...

Template: hw-detect/firmware-lookup
Type: text
Default:

Template: some/error
Type: error
"""


def test_templates_become_questions() -> None:
    """Questions that can be answered are taken; choices are the untranslated ones, and only fixed ones."""
    assert from_templates([TEMPLATES]) == (
        Question("apt-setup/services-select", "multiselect", ("security", "updates")),
        Question("hw-detect/firmware-lookup", "text"),
        Question("partman/choose_partition", "select"),
        Question("pkgsel/upgrade", "select", ("none", "safe-upgrade", "full-upgrade")),
    )


def test_scripts_make_questions_of_others_templates() -> None:
    """A question that a script registers has the type of its template."""
    known = from_templates(["Template: partman-lvm/confirm\nType: boolean\n"])
    scripts = ["x\ndb_register partman-lvm/confirm partman-lvm/confirm_nooverwrite\n", "db_register un/known a/b\n"]
    assert registered(scripts, known) == (Question("partman-lvm/confirm_nooverwrite", "boolean"),)


_WORD = st.from_regex(r"[a-z][a-z/()_-]{0,12}", fullmatch=True)


@given(
    st.lists(
        st.builds(Question, _WORD, st.sampled_from(["select", "string"]), st.lists(_WORD, max_size=3).map(tuple)),
        unique_by=lambda question: question.name,
    )
)
def test_the_file_is_read_back(questions: list[Question]) -> None:
    """What is written is read back unchanged, comments aside."""
    assert list(read("# made by hand\n" + write(questions)).values()) == questions
