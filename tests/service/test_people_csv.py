"""A spreadsheet's people are read whatever program wrote it; each bad line is named, and then nothing is taken."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.person import Person
from service.people_csv import COLUMNS, LISTED_PROBLEMS, BadPeople, read_people, updated

ANNA = Person("anna@corp.example", ("a@home.example",), "pl", "Asia/Tokyo", "PL", "eva@corp.example")
HEAD = "address,aliases,language,zone,country,manager\n"
LINE = "Anna@Corp.example,A@home.example,pl,Asia/Tokyo,PL,Eva@corp.example\n"


def people(content):
    content = content.encode() if isinstance(content, str) else content
    return [row.person for row in read_people(content, "staff.csv").rows]


def problems(content):
    with pytest.raises(BadPeople) as refused:
        people(content)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    "content",
    [
        HEAD + LINE,
        (HEAD + LINE).replace(",", ";"),
        (HEAD + LINE).replace(",", "\t"),
        (HEAD + LINE).replace("\n", "\r\n"),
        (HEAD + LINE).replace("\n", "\r"),
        (HEAD + LINE).rstrip("\n"),
        "sep=;\r\n" + (HEAD + LINE).replace(",", ";"),
        "\n" + HEAD + "\n,,,,,\n" + LINE + "\n",
        (HEAD + LINE).encode("utf-8-sig"),
        (HEAD + LINE).replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + (HEAD + LINE).encode("utf-16-be"),
        "Name,ADDRESSES, Alias ,Language,Zone,Country,Manager\nŻaneta," + LINE,
        '"' + (HEAD + LINE).replace(",", '","').replace("\n", '"\n"').removesuffix('"'),
        "manager,country,zone,language,aliases,address\n" + ",".join(reversed(LINE.strip().split(","))),
        HEAD + LINE.replace("A@home.example", '"a@home.example, anna@corp.example;A@HOME.example"'),
    ],
)
def test_what_spreadsheets_write_is_read_alike(content):
    assert people(content) == [ANNA]


def test_an_encoding_the_file_does_not_name_does_no_harm_where_it_does_not_matter():
    assert people(("name," + HEAD + "Żółć," + LINE).encode("cp1250")) == [ANNA]
    (problem,) = problems((HEAD + LINE.replace("pl,", "żół,")).encode("cp1250"))
    assert problem.startswith("staff.csv: line 2: ")
    assert problem.endswith("accepted: the same file saved as CSV UTF-8")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "line 1: found nothing; accepted: a header row with address"),
        ("\n\n", "line 1: found nothing"),
        (LINE, "line 1: found Anna@Corp.example, A@home.example"),
        ("address,zone,zone\n", "line 1: found zone twice"),
        (HEAD + ",,pl\n", "line 2: address is empty"),
        (HEAD + "anna\n", "line 2: address is 'anna'; accepted: a bare address"),
        (HEAD + "anna@corp\n", "line 2: address is 'anna@corp'"),
        (HEAD + "Anna <anna@corp.example>\n", "line 2: address is 'anna'"),
        (HEAD + "anna@corp.example,b\n", "line 2: aliases is 'b'"),
        (HEAD + "anna@corp.example,,Polish\n", "line 2: language is 'Polish'; accepted: a tag such as \"pl\""),
        (HEAD + "anna@corp.example,,,Mars/Base\n", "line 2: zone is 'Mars/Base'; accepted: an IANA name"),
        (HEAD + "anna@corp.example,,,../etc\n", "line 2: zone is '../etc'"),
        (HEAD + "anna@corp.example,,,,pl\n", "line 2: country is 'pl'; accepted: two capital letters"),
        (HEAD + "anna@corp.example,,,,,eva leo\n", "line 2: manager is 'eva leo'"),
        (HEAD + "anna@corp.example,,,,,,x\n", "line 2: 7 cells; accepted: 6"),
        (HEAD + LINE + "\n" + LINE, "line 4: anna@corp.example is on line 2 already"),
        (HEAD + LINE + "eva@corp.example,a@home.example\n", "line 3: a@home.example is on line 2 already"),
        (HEAD + '"anna@corp.example\n', "cannot be read as CSV"),
        ("sep=;\n" + HEAD.replace(",", ";") + "x;\n", "line 3: address is 'x'"),
    ],
)
def test_a_bad_line_is_named_with_what_would_be_accepted(content, says):
    assert f"staff.csv: {says}" in problems(content)[0] or says in problems(content)[0]


def test_every_bad_line_is_named_as_far_as_anybody_reads_on():
    found = problems(HEAD + "".join(f"nobody{number}\n" for number in range(LISTED_PROBLEMS + 7)))
    assert [f"line {number + 2}:" in line for number, line in enumerate(found[:-1])] == [True] * LISTED_PROBLEMS
    assert found[-1] == "staff.csv: and 7 more lines like these"


def test_columns_that_mean_nothing_are_named():
    assert read_people(b"name,address,desk\n", "staff.csv").ignored == ("name", "desk")


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_clears():
    file = read_people(b"address,zone\nanna@corp.example,\n", "staff.csv")
    assert updated(ANNA, file.rows[0].person, file.columns) == Person(
        "anna@corp.example", ("a@home.example",), "pl", "", "PL", "eva@corp.example"
    )


words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
addresses = words.map(lambda word: f"{word}@corp.example")


@given(
    st.lists(
        st.tuples(addresses, st.sampled_from(["", "pl", "pt-BR"]), st.sampled_from(["", "Asia/Tokyo"]), addresses),
        unique_by=lambda row: row[0],
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_people_written_as_csv_come_back_as_they_were(rows, separator, encoding):
    given_people = [Person(address, (), language, zone, "", manager) for address, language, zone, manager in rows]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator)
    writer.writerow(COLUMNS)
    writer.writerows((one.address, "", one.language, one.zone, "", one.manager) for one in given_people)
    assert people(file.getvalue().encode(encoding)) == given_people


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_read_or_refused_in_words(content):
    with contextlib.suppress(BadPeople):
        assert read_people(content, "staff.csv").columns >= {"address"}
