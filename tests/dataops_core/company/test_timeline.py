"""When what the company numbers was made, and which incidents it had."""

from uuid import UUID

import numpy as np
import pytest

from dataops_core.company.build import build_company
from dataops_core.company.people import CONTACTS, customer_domain
from dataops_core.company.releases import FIXES, LAST_MOMENT, PER_PROJECT
from dataops_core.company.timeline import issue_created, pull_request_created, ticket_created, tickets_by
from dataops_core.generation import calendar

COMPANIES = [build_company(UUID(int=number * 7919)) for number in range(1, 9)]
by_company = pytest.mark.parametrize("company", COMPANIES, ids=range(len(COMPANIES)))


@by_company
def test_numbers_follow_time(company):
    for project in company.projects[:3]:
        numbers = np.arange(1, project.issue_count + 1)
        zone = company.people[company.teams[project.team].first_person].zone
        places = np.full(len(numbers), project.index)
        issues = issue_created(company.client_id, places, numbers, project.issue_count, zone)
        pulls = pull_request_created(company.client_id, places, numbers, project.issue_count, zone)
        for made in (issues, pulls):
            assert (np.diff(made) >= 0).all()
            assert 0 <= made[0] < made[-1] < calendar.WINDOW_DAYS * calendar.DAY
        assert (issues != pulls).any()


@by_company
def test_what_was_there_at_a_moment_had_been_made_by_then(company):
    moments = np.arange(0, calendar.WINDOW_DAYS * calendar.DAY, 5 * calendar.DAY + 12_345)
    there = tickets_by(moments, company.ticket_count)
    assert (np.diff(there) >= 0).all()
    known = there > 0
    assert (ticket_created(company.client_id, there[known], company.ticket_count) <= moments[known]).all()
    assert there[-1] > 0.99 * company.ticket_count


@by_company
def test_an_incident_has_its_issue_and_its_tickets_within_hours(company):
    incidents = company.incidents
    assert [incident.index for incident in incidents] == list(range(len(incidents)))
    assert len({(incident.project, incident.issue) for incident in incidents}) == len(incidents)
    tickets = [incident.first_ticket + place for incident in incidents for place in range(len(incident.customers))]
    assert len(set(tickets)) == len(tickets)
    assert 1 <= min(tickets) <= max(tickets) <= company.ticket_count
    for incident in incidents:
        assert incident.started < incident.resolved < incident.started + 24 * 3600
        project = company.projects[incident.project]
        assert company.services[incident.service].project == project.index
        assert company.people[incident.lead].team == project.team
        assert 1 <= incident.issue <= project.issue_count
        opened = ticket_created(company.client_id, np.array([incident.first_ticket]), company.ticket_count)
        # Over a weekend or a night the working day after.
        assert 0 <= opened[0] - incident.started < 4 * calendar.DAY


@by_company
def test_contacts_are_nobody_of_the_company(company):
    assert len(company.contacts) == len(company.customers)
    everybody = [contact for theirs in company.contacts for contact in theirs]
    assert {len(theirs) for theirs in company.contacts} == {CONTACTS}
    assert len({contact.name for contact in everybody}) == len(everybody)
    assert not {contact.name for contact in everybody} & {person.name for person in company.people}
    for customer, theirs in zip(company.customers, company.contacts, strict=True):
        assert all(contact.email.endswith(f"@{customer_domain(customer, company.locale)}") for contact in theirs)


@by_company
def test_a_team_sits_in_one_zone(company):
    for team in company.teams:
        members = company.people[team.first_person : team.first_person + team.size]
        assert len({member.timezone for member in members}) == 1


@by_company
def test_versions_of_a_service_rise_and_go_out_on_working_days(company):
    releases = company.releases
    assert [release.index for release in releases] == list(range(len(releases)))
    assert [release.moment for release in releases] == sorted(release.moment for release in releases)
    for project in company.projects:
        own = [release for release in releases if release.project == project.index]
        versions = [tuple(map(int, release.version.split("."))) for release in own]
        assert versions == sorted(set(versions))
        assert 0 > own[0].moment > -calendar.DAY * 7 * 7
        # Planned ones, and corrections of most incidents.
        assert sum(release.issue > 0 for release in own) == PER_PROJECT
        assert PER_PROJECT + 1 <= len(own[1:]) <= PER_PROJECT + 3
        assert min(np.diff([release.moment for release in own])) > 3 * calendar.DAY
        zone = company.people[company.teams[project.team].first_person].zone
        for release in own:
            assert company.services[release.service].project == project.index
            assert company.people[release.lead].team == project.team
            assert release.moment <= LAST_MOMENT
            local = int(calendar.CLOCKS.local(np.array([release.moment]), zone)[0])
            # In the middle of the team's day, which is the same in UTC.
            assert calendar.day_of(local) == calendar.day_of(release.moment)
            assert local // calendar.DAY % 7 < 5
            assert 13 * 3600 <= local % calendar.DAY < 16 * 3600


@by_company
def test_what_goes_out_with_a_release_was_there_before_it(company):
    incidents = {(incident.project, incident.issue): incident for incident in company.incidents}
    shipped = [(release.project, number) for release in company.releases for number in release.fixed]
    assert len(set(shipped)) == len(shipped)
    for release in company.releases:
        project = company.projects[release.project]
        if not release.fixed:
            continue
        numbers = np.array([*release.fixed, *([release.issue] if release.issue else [])])
        zone = company.people[company.teams[project.team].first_person].zone
        places = np.full(len(numbers), project.index)
        made = issue_created(company.client_id, places, numbers, project.issue_count, zone)
        assert 1 <= min(numbers) <= max(numbers) <= project.issue_count
        if release.issue:
            assert len(release.fixed) == FIXES
            assert not {(project.index, int(number)) for number in numbers} & set(incidents)
            # What tracks it begins once the fixes are known, some working days before it is out.
            assert made.argmax() == len(numbers) - 1
            assert calendar.DAY < release.moment - made[-1] < 14 * calendar.DAY
        else:
            (number,) = release.fixed
            assert release.version.rpartition(".")[2] != "0"
            assert 0 < release.moment - incidents[project.index, number].resolved < 6 * calendar.DAY
