"""The forms that sentences are made of. Data only.

A sentence is an optional opener, a main clause and an optional tail; any of them fits any other, so forms multiply.
Slots, all of one topic unless said otherwise (``words.py`` fills them):

======== =========================================== ======== ==========================================
slot     is                                          slot     is
======== =========================================== ======== ==========================================
n        noun, singular: "settlement batch"          sys      system of the industry, singular
ns       noun, plural: "settlement batches"          prod     product of the industry, singular
a_n      noun with "a" or "an"                       a_prod   product with "a" or "an"
j        adjective: "idempotent"                     prods    product, plural
a_j      adjective with "a" or "an"                  stake    stakeholders, plural
v        verb, third person: "reconciles"            reg      regulation
vb       verb, base form: "reconcile"                risk     risk, noun phrase
m        metric, takes verbs that do not inflect     goal     goal, infinitive without "to"
p        practice, gerund phrase                     num      number from 2 on
role     role with an article: "the on-call lead"    pct      "12 percent"
often    "every week"                                span     "three weeks"
past     "last quarter"
======== =========================================== ======== ==========================================
"""

#: Begin a sentence of the present tense; end with a comma and a space.
OPENERS = (
    "when {a_j} {n} arrives, ",
    "whenever {a_n} changes, ",
    "before {a_n} is released, ",
    "as soon as {a_j} {n} appears, ",
    "unless {a_n} is marked as {j}, ",
    "until the {sys} confirms it, ",
    "once {stake} have been told, ",
    "in most cases, ",
    "in practice, ",
    "by default, ",
    "as a rule, ",
    "if the {m} is out of range, ",
    "if {stake} ask for it, ",
    "if {a_n} and {a_n} disagree, ",
    "where {a_n} is missing, ",
    "where two {ns} overlap, ",
    "even if the {sys} is down, ",
    "although {ns} look alike, ",
    "while the {sys} catches up, ",
)

#: The same, for a sentence of any tense.
TIMELESS_OPENERS = (
    "since the last review, ",
    "for {a_j} {n}, ",
    "for {prods}, ",
    "for the sake of {stake}, ",
    "under {reg}, ",
    "because of {reg}, ",
    "given the risk of {risk}, ",
    "to {goal}, ",
    "in order to {goal}, ",
    "apart from {p}, ",
    "besides {p}, ",
    "instead of {p}, ",
    "together with {stake}, ",
    "in contrast to the {sys}, ",
    "next to the {sys}, ",
    "on the way to {a_prod}, ",
    "during peak hours, ",
    "outside business hours, ",
    "for the first {span}, ",
    "within {span}, ",
    "after {num} attempts, ",
    "from the point of view of {stake}, ",
    "compared with {past}, ",
    "with {num} {ns} in flight, ",
    "without {a_j} {n}, ",
)

#: Main clauses of the present tense: independent, no capital, no end.
MAINS = (
    "the {n} {v} the {n}",
    "the {j} {n} {v} every {n} that it receives",
    "each {n} {v} {a_j} {n}",
    "every {j} {n} {v} one {n} at a time",
    "the {sys} {v} {a_n} for each {prod}",
    "the {sys} {v} {ns} from {num} sources",
    "the {sys} hands {j} {ns} over to the {sys}",
    "no {n} {v} more than {num} {ns} {often}",
    "only {a_j} {n} {v} the {n} directly",
    "the team treats {a_j} {n} as {a_n} of its own",
    "we {vb} the {n} before we {vb} the {n}",
    "we {vb} {j} {ns} in groups of {num}",
    "we keep {ns} and {ns} apart",
    "we compare {a_n} with the {n} that it came from",
    "we no longer {vb} {ns} by hand",
    "we ask {role} to {vb} the {n}",
    "{role} must {vb} the {j} {n}",
    "{role} may {vb} {a_n} only with {a_j} {n}",
    "{role} decides whether {a_j} {n} goes to the {sys}",
    "{role} reviews {num} {ns} {often}",
    "{role} signs off {p}",
    "{stake} can {vb} {a_n} without help",
    "{stake} expect {a_j} {n} for every {prod}",
    "{stake} rarely notice {a_j} {n}",
    "{stake} depend on {j} {ns} more than on {ns}",
    "{prods} share {a_n} with the {sys}",
    "{prods} need {a_j} {n} from day one",
    "{a_prod} starts with {a_j} {n}",
    "{a_prod} has {num} {ns} on average",
    "{a_n} belongs to exactly one {n}",
    "{a_n} is {j} until the {n} {v} it",
    "{a_n} that is not {j} goes back to {role}",
    "{a_j} {n} is kept for {span}",
    "{a_j} {n} replaces {num} {ns}",
    "{a_j} {n} costs less than {a_j} one",
    "{a_j} {n} leaves a trace in the {sys}",
    "{j} {ns} and {j} {ns} follow the same path",
    "{j} {ns} are listed before {ns}",
    "{j} {ns} count toward the {m}",
    "most {ns} are {j} within {span}",
    "some {ns} stay {j} for {span}",
    "about {pct} of all {ns} are {j}",
    "the share of {j} {ns} is below {pct}",
    "the {m} must not grow while the {n} is {j}",
    "the {m} tells us how well the {n} {v} {ns}",
    "a change in the {m} points to {a_j} {n}",
    "we watch the {m} and the {m} side by side",
    "we report the {m} to {stake} {often}",
    "we alert {role} when the {m} leaves its range",
    "{p} is part of the definition of done",
    "{p} takes {span} at most",
    "{p} is the job of {role}",
    "{p} comes before {p}",
    "{p} works best with {a_j} {n}",
    "{p} and {p} are two sides of one task",
    "{p} is what {stake} asked for first",
    "{p} keeps the {sys} out of trouble",
    "we prefer {p} to {p}",
    "the plan is to {goal}",
    "the plan begins with {p}",
    "the point of {a_j} {n} is to {goal}",
    "this helps us {goal}",
    "this helps {stake} {vb} {ns}",
    "this is how we {goal} without {p}",
    "{reg} asks for {a_j} {n}",
    "{reg} applies to every {n} of {a_prod}",
    "{reg} leaves no room for {risk}",
    "auditors look at {a_j} {n} first",
    "the most likely cause of {risk} is {a_j} {n}",
    "the risk of {risk} is small",
    "the risk of {risk} falls with every {j} {n}",
    "{a_j} {n} protects us against {risk}",
    "{risk} would affect {stake} first",
    "the cost of {risk} is higher than that of {p}",
    "the {n} has {num} {ns}, of which {num} are {j}",
    "the {n} is written once and read by the {sys}",
    "the {n} is owned by {role}",
    "the {n} can be {j} for {span} without harm",
    "the {n} links to {a_n} and to {a_j} {n}",
    "the {n} lists what {stake} need to know",
    "the {n} holds no data of {stake}",
    "the difference between {a_n} and {a_n} matters here",
    "the first {n} {v} the second",
    "the order of {ns} is fixed",
    "the owner of the {n} is {role}",
    "the next {n} waits until the {sys} is done",
    "the {sys} accepts {j} {ns} only",
    "the {sys} answers with {a_n} and {a_n}",
    "the {sys} drops {ns} that are older than {span}",
    "the {sys} keeps {num} {ns} in memory",
    "the {sys} and the {sys} agree on the {n}",
    "nothing in the {sys} {v} {ns} twice",
    "nobody has to {vb} {a_n} {often}",
    "there are {num} {ns} for each {n}",
    "there is one {n} per {prod}",
    "there is no {j} {n} without {a_n}",
    "it takes {span} to {vb} {a_j} {n}",
    "it is enough to {vb} the {n}",
    "it is safe to {vb} {a_j} {n} {often}",
    "the {j} {n} sits between the {n} and the {sys}",
    "the {n} carries a number that the {sys} assigns",
)

#: Main clauses that look back.
PAST_MAINS = (
    "we chose {a_j} {n} over {a_j} {n}",
    "{stake} reported {num} {j} {ns} {past}",
    "{stake} asked us to stop {p}",
    "fewer than {num} {ns} were {j} {past}",
    "the {m} fell by {pct} {past}",
    "the {m} rose by {pct} after the change to the {sys}",
    "the {m} stayed within {pct} of the target",
    "the {m} and the {m} moved in the same direction",
    "the target for the {m} has not changed since {past}",
    "{p} has cut the {m} by {pct}",
    "we started {p} {past}",
    "we gave up {p} in favor of {p}",
    "{risk} was named in {num} reviews {past}",
    "the {n} was {j} for {span}",
    "the old {n} and the new {n} ran in parallel for {span}",
    "the {sys} was built to {vb} {ns}",
    "{role} raised the question of {j} {ns} {past}",
    "{role} and {role} agreed on {a_j} {n}",
    "the {sys} lost {num} {ns} {past}",
    "the {sys} needed {span} to recover from {risk}",
    "the switch to {a_j} {n} took {span}",
    "the number of {j} {ns} doubled in {span}",
    "{num} of a hundred {ns} turned out to be {j}",
    "a review of the {sys} found {num} {j} {ns}",
    "{stake} preferred {a_j} {n} to {a_j} one",
    "an early version of the {n} ignored {j} {ns}",
    "the team learned from {risk} {past}",
    "{p} paid off within {span}",
    "the {m} came down to {num} {past}",
    "the {m} and the {m} recovered within {span}",
    "we measured the {m} for {span}",
    "we tried {p} and returned to {p}",
    "nobody noticed the {j} {n} for {span}",
    "the {n} outgrew the {sys} {past}",
)

#: End a sentence of the present tense: begin with a space or a comma, end with a full stop and a space.
TAILS = (
    ", so that {stake} see {a_j} {n}. ",
    ", so that the {m} stays where it is. ",
    " so that the {sys} can {vb} {ns}. ",
    " because {a_j} {n} is at stake. ",
    " because {stake} rely on it. ",
    " because {ns} are {j} by then. ",
    " since the {sys} {v} {ns} {often}. ",
    " unless {role} objects. ",
    " unless the {n} is {j}. ",
    " until the {m} recovers. ",
    " until {a_j} {n} takes its place. ",
    " before {stake} notice. ",
    " before the {n} reaches the {sys}. ",
    " while {ns} are {j}. ",
    " while {role} watches the {m}. ",
    " whether or not {a_n} is {j}. ",
    ", even when the {sys} is slow. ",
    ", which leaves the {n} to {role}. ",
    ", which is why {p} comes first. ",
    ", which makes {risk} less likely. ",
    ", and {role} keeps a record of it. ",
    ", and the {sys} follows within {span}. ",
    ", and {stake} are told {often}. ",
    ", and the {m} shows it. ",
    ", and {p} is not needed any more. ",
    ", but never without {a_j} {n}. ",
    ", but {role} can make an exception. ",
    ", or else {a_n} is left behind. ",
    " for {span} at least. ",
)

#: The same, for a sentence of any tense.
TIMELESS_TAILS = (
    ", so that nobody has to {vb} {ns} by hand. ",
    " to {goal}. ",
    " in order to {goal}. ",
    ", as {reg} requires. ",
    ", as agreed with {stake}. ",
    ", as {role} suggested. ",
    ", as in the {sys}. ",
    " after {num} {j} {ns}. ",
    " after {span} without {a_n}. ",
    ", even for {a_j} {n}. ",
    ", but not for {prods}. ",
    ", not only for {stake}. ",
    ", except for {j} {ns}. ",
    ", including the {j} {n}. ",
    ", starting with {prods}. ",
    ", regardless of the {m}. ",
    " without touching the {sys}. ",
    " without {p}. ",
    " with {a_j} {n} as a fallback. ",
    " by way of the {sys}. ",
    " on behalf of {stake}. ",
    " in {num} out of a hundred cases. ",
)

#: The same, for a sentence that looks back.
PAST_TAILS = (
    ", which {stake} welcomed. ",
    ", which cut the {m} by {pct}. ",
    ", but the {m} did not follow. ",
    ", which surprised {stake}. ",
    ", and {role} wrote it down. ",
    ", so that {role} stepped in. ",
    ", long before {risk} became a topic. ",
    ", and the {sys} followed within {span}. ",
)

#: Entries of lists: a capital is made, no end.
ITEMS = (
    "{p}",
    "{p}, with {role}",
    "{a_j} {n} for each {prod}",
    "{num} {j} {ns} per {n}",
    "the {m}, reported {often}",
    "the {m} by {n}",
    "the {n} that {v} {j} {ns}",
    "the list of {j} {ns} in the {sys}",
    "{j} {ns} older than {span}",
    "no {j} {n} without {role}",
    "what {stake} need from {a_n}",
    "how the {sys} {v} {ns}",
    "evidence for {reg}: {a_j} {n}",
    "{risk}: {role} decides within {span}",
    "access of {stake} to the {n}",
    "a way to {goal}",
)

#: Steps of a procedure: imperatives, end with a full stop.
STEPS = (
    "open the {sys} and look for {a_j} {n}.",
    "compare the {n} with the {n} of the {sys}.",
    "check that the {m} is below {num}.",
    "check whether {a_j} {n} is present.",
    "ask {role} to confirm the {n}.",
    "tell {stake} that {ns} will be {j} for {span}.",
    "stop the {n} before it reaches the {sys}.",
    "wait until the {m} has been stable for {span}.",
    "export the last {num} {ns} and keep them for {span}.",
    "mark the {n} as {j}.",
    "{vb} the {n}, then {vb} the {n}.",
    "{vb} the {j} {n} in the {sys}.",
    "{vb} each {n} that is still {j}.",
    "repeat this for every {n} of the {prod}.",
    "write down the {m} and the {m}.",
    "note the {n} in the ticket.",
    "if the {n} is {j}, go back one step.",
    "if more than {num} {ns} are {j}, call {role}.",
    "switch {prods} over to {a_j} {n}.",
    "remove the {j} {n}, but keep the {n}.",
    "confirm with {stake} that the {n} {v} {ns} again.",
    "record what {reg} asks for.",
)

#: Short noun phrases: cells of tables, headings of sub-sections. A capital is made, no end.
PHRASES = (
    "{j} {ns}",
    "{ns} in the {sys}",
    "{ns} and {ns}",
    "{p}",
    "the {j} {n}",
    "the {n} for {stake}",
    "the {m}",
    "{m} by {n}",
)

#: Summaries of issues, as a tracker shows them. A capital is made, no end.
SUMMARIES = (
    "{vb} {j} {ns}",
    "{vb} the {n} in the {sys}",
    "{n} is {j} after {num} {ns}",
    "{sys} {v} the wrong {n}",
    "{m} out of range for {stake}",
    "add {a_j} {n} to the {sys}",
    "document {p}",
    "stop {p}",
)

#: What the slots that no template names can say.
ROLES = (
    "the on-call engineer", "the product owner", "the team lead", "a second reviewer", "the release manager",
    "the duty manager", "the data steward", "the architect", "a senior engineer", "the change board",
    "the support lead",
    "the program manager",
)  # fmt: skip
OFTEN = (
    "every week", "every morning", "twice a day", "at the end of each month", "on weekdays", "during the night",
    "once a quarter", "with each release", "on the first Monday of the month", "every ten minutes", "after each shift",
)  # fmt: skip
PAST = (
    "last week", "last month", "last quarter", "last year", "the week before", "the month before", "the quarter before",
    "last spring", "last autumn",
)  # fmt: skip
SPANS = (
    "an hour", "two hours", "a day", "two days", "three days", "a week", "two weeks", "three weeks", "a month",
    "six weeks", "ninety days", "ten minutes", "fifteen minutes", "half an hour", "one shift", "one sprint",
)  # fmt: skip
