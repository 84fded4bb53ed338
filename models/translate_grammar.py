"""English sentences, their French and which word came from which, from a small grammar.

    sentence(rng) -> (english, french, sources)

english and french are lists of tokens as the tokenizer of `translate` cuts them; sources has, for
every French token, the indexes of the English tokens it says. Nothing here is learnt or drawn from
a corpus: words, agreement, elision and order are rules, so the right answer is always known.
"""

import re

ENGLISH_VOWEL = re.compile("[aeiou]")
FRENCH_VOWEL = re.compile("[aeiouyhéèêâàôîœ]")
NO_ELISION = {"huit", "onze"}
UNKNOWN = "<unk>"

# English singular and plural, French singular, plural ("" adds s), gender.
BEINGS = """
man men homme - m|woman women femme - f|child children enfant - m|girl girls fille - f
boy boys garçon - m|king kings roi - m|queen queens reine - f|teacher teachers professeur - m
doctor doctors médecin - m|student students étudiant - m|friend friends ami - m
neighbour neighbours voisin - m|cat cats chat - m|dog dogs chien - m|bird birds oiseau oiseaux m
horse horses cheval chevaux m|mouse mice souris souris f|cow cows vache - f|sister sisters sœur - f
brother brothers frère - m|mother mothers mère - f|father fathers père - m
baker bakers boulanger - m
minister ministers ministre - m|president presidents président - m|painter painters peintre - m"""
THINGS = """
house houses maison - f|book books livre - m|letter letters lettre - f|car cars voiture - f
apple apples pomme - f|tree trees arbre - m|flower flowers fleur - f|table tables table - f
chair chairs chaise - f|door doors porte - f|window windows fenêtre - f|bread breads pain - m
cheese cheeses fromage - m|hat hats chapeau chapeaux m|shirt shirts chemise - f|key keys clé - f
picture pictures tableau tableaux m|boat boats bateau bateaux m|story stories histoire - f
song songs chanson - f|word words mot - m|machine machines machine - f|box boxes boîte - f
agreement agreements accord - m|area areas zone - f|law laws loi - f
newspaper newspapers journal journaux m
report reports rapport - m|question questions question - f|answer answers réponse - f
map maps carte - f|clock clocks horloge - f|egg eggs œuf - m|language languages langue - f"""
PLACES = """
garden gardens jardin - m|city cities ville - f|village villages village - m
school schools école - f
church churches église - f|bridge bridges pont - m|river rivers rivière - f|forest forests forêt - f
market markets marché - m|room rooms chambre - f|kitchen kitchens cuisine - f|street streets rue - f
station stations gare - f|island islands île - f|castle castles château châteaux m
mountain mountains montagne - f|library libraries bibliothèque - f|field fields champ - m
hotel hotels hôtel - m|country countries pays pays m"""
# English, French masculine, feminine, their plurals, before a vowel; "-" follows the rule.
BEFORE = """
small petit - - - -|big grand - - - -|old vieux vieille vieux - vieil
new nouveau nouvelle nouveaux - nouvel
beautiful beau belle beaux - bel|good bon bonne - - -|young jeune jeune - - -|pretty joli - - - -
bad mauvais mauvaise mauvais - -|other autre autre - - -"""
AFTER = """
red rouge rouge - - -|black noir - - - -|white blanc blanche - - -|green vert - - - -
blue bleu - - - -
yellow jaune jaune - - -|dark sombre sombre - - -|cold froid - - - -|warm chaud - - - -
heavy lourd - - - -|quiet tranquille tranquille - - -|strange étrange étrange - - -
important important - - - -|interesting intéressant - - - -|difficult difficile difficile - - -
european européen européenne - - -|economic économique économique - - -
national national - nationaux - -
political politique politique - - -|public public publique - - -
french français française français - -
english anglais anglaise anglais - -|wooden boisé - - - -|modern moderne moderne - - -
famous célèbre célèbre - - -
empty vide vide - - -|clean propre propre - - -|expensive cher chère - - -|free libre libre - - -"""
# English base and third person, French je il nous vous ils; "er" conjugates the stem.
VERBS = """
see sees vois voit voyons voyez voient|love loves aim er
eat eats mange mange mangeons mangez mangent
read reads lis lit lisons lisez lisent|write writes écris écrit écrivons écrivez écrivent
buy buys achète achète achetons achetez achètent|sell sells vends vend vendons vendez vendent
find finds trouv er|look_for looks_for cherch er|take takes prends prend prenons prenez prennent
know knows connais connaît connaissons connaissez connaissent|open opens ouvr er
close closes ferm er
carry carries port er|draw draws dessin er|want wants veux veut voulons voulez veulent
have has ai a avons avez ont|watch watches regard er|listen_to listens_to écout er
paint paints peins peint peignons peignez peignent|visit visits visit er|forget forgets oubli er
build builds construis construit construisons construisez construisent|bring brings apport er
understand understands comprends comprend comprenons comprenez comprennent"""
ALONE = """
sleep sleeps dors dort dormons dormez dorment|sing sings chant er|dance dances dans er
work works travaill er|laugh laughs ris rit rions riez rient|arrive arrives arriv er
play plays jou er|run runs cours court courons courez courent
wait waits attends attend attendons attendez attendent"""
PARTICIPLES = """
signed signé|built construit|found trouvé|seen vu|written écrit|sold vendu|opened ouvert
closed fermé|painted peint|lost perdu|bought acheté|forgotten oublié|visited visité
brought apporté"""
PERSONS = [("i", "je", 0, "m", 1), ("he", "il", 1, "m", 1), ("she", "elle", 1, "f", 1),
           ("we", "nous", 2, "m", 2), ("you", "vous", 3, "m", 2), ("they", "ils", 4, "m", 2)]
TO_BE = ["suis", "est", "sommes", "êtes", "sont"]
NAMES = [("paul", "paul", "m"), ("anna", "anna", "f"), ("mary", "marie", "f"),
         ("peter", "pierre", "m"),
         ("john", "jean", "m"), ("julia", "julie", "f")]
OWNED = [("my", "mon", "ma", "mes"), ("his", "son", "sa", "ses"), ("her", "son", "sa", "ses"),
         ("our", "notre", "notre", "nos"), ("your", "votre", "votre", "vos"),
         ("their", "leur", "leur", "leurs")]
NUMBERS = [("two", "deux"), ("three", "trois"), ("four", "quatre"), ("five", "cinq"),
           ("six", "six"),
           ("seven", "sept"), ("eight", "huit"), ("nine", "neuf"), ("ten", "dix"),
           ("eleven", "onze"),
           ("twelve", "douze")]
WHERE = [("in", "dans"), ("on", "sur"), ("under", "sous"), ("behind", "derrière"), ("with", "avec"),
         ("for", "pour"), ("near", "près de"), ("of", "de"), ("to", "à"), ("without", "sans"),
         ("before", "devant"), ("between", "entre"), ("about", "sur")]
TOWNS = [("london", "londres", "à"), ("paris", "paris", "à"), ("rome", "rome", "à"),
         ("france", "france", "en"), ("england", "angleterre", "en"),
         ("germany", "allemagne", "en"),
         ("berlin", "berlin", "à"), ("italy", "italie", "en")]
DAYS = list(zip("monday tuesday wednesday thursday friday saturday sunday".split(),
                "lundi mardi mercredi jeudi vendredi samedi dimanche".split()))
MONTHS = list(zip("january february march april may june july august september october november "
                  "december".split(),
                  "janvier février mars avril mai juin juillet août septembre octobre novembre "
                  "décembre".split()))
ADVERBS = [("always", "toujours"), ("often", "souvent"), ("also", "aussi")]
WHEN = [("now", "maintenant"), ("tomorrow", "demain"), ("here", "ici"), ("together", "ensemble"),
        ("tonight", "ce soir"), ("well", "bien")]
ONE_OBJECT = [("him", "le"), ("her", "la"), ("them", "les"), ("it", "le"), ("me", "me"),
              ("us", "nous")]
YEARS = [str(y) for y in range(1950, 2050)]


def rows(text):
    return [r.split() for line in text.strip().split("\n") for r in line.split("|")]


def nouns(text):
    return [(en, ens, fr, fr + "s" if frs == "-" else frs, g) for en, ens, fr, frs, g in rows(text)]


def adjectives(text):
    found = []
    for en, m, f, ms, fs, vowel in rows(text):
        f = m + "e" if f == "-" else f
        found.append((en, m, f, m + "s" if ms == "-" else ms, f + "s" if fs == "-" else fs,
                      m if vowel == "-" else vowel))
    return found


def verbs(text):
    found = []
    for en, third, *forms in rows(text):
        if forms[-1] == "er":
            forms = [forms[0] + e for e in ("e", "e", "ons", "ez", "ent")]
        found.append((en.split("_"), third.split("_"), forms))
    return found


BEINGS, THINGS, PLACES = nouns(BEINGS), nouns(THINGS), nouns(PLACES)
BEFORE, AFTER = adjectives(BEFORE), adjectives(AFTER)
VERBS, ALONE, PARTICIPLES = verbs(VERBS), verbs(ALONE), rows(PARTICIPLES)
VOWEL_FORMS = {a[1]: a[5] for a in BEFORE if a[5] != a[1]}


def agree(adjective, gender, number):
    return adjective[1 + (gender == "f") + 2 * (number > 1)]


class Pair:
    """A sentence being written on both sides."""

    def __init__(self, rng):
        self.rng, self.en, self.fr = rng, [], []

    def pick(self, table):
        return table[self.rng.randrange(len(table))]

    def often(self, share):
        return self.rng.random() < share

    def say(self, *words):
        """English words; their indexes."""
        first = len(self.en)
        self.en.extend(words)
        return list(range(first, len(self.en)))

    def mean(self, text, sources):
        self.fr.extend((word, tuple(sources)) for word in text.split())


def determiner(p, noun_number, definite_only):
    """(English word or None, French masculine, feminine, plural, number)."""
    kind = p.rng.random()
    if noun_number > 1:
        if kind < 0.45 or (definite_only and kind < 0.6):
            return "the", "les"
        if kind < 0.6:
            return "some", "des"
        if kind < 0.75:
            return p.pick(NUMBERS)
        if kind < 0.85:
            return ("these", "ces") if p.often(0.5) else ("those", "ces")
        owner = p.pick(OWNED)
        return owner[0], owner[3]
    if kind < 0.5 or (definite_only and kind < 0.72):
        return "the", ("le", "la")
    if kind < 0.72:
        return "a", ("un", "une")
    if kind < 0.85:
        return ("this", ("ce", "cette")) if p.often(0.6) else ("that", ("ce", "cette"))
    owner = p.pick(OWNED)
    return owner[0], owner[1:3]


def noun_group(p, tables, definite_only=False, depth=0, lead=None):
    """Determiner, adjectives, noun, maybe an owner or a place. lead: French before it, with its
    English indexes. Returns (gender, number)."""
    if depth < 2 and p.often(0.10):
        return possessed(p, tables, lead)
    noun = p.pick(p.pick(tables))
    if p.often(0.015):
        noun = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "m")
    number = 1 if p.often(0.65) else 2
    en, fr = determiner(p, number, definite_only)
    described = []
    for _ in range(p.pick([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3])):
        adjective = p.pick(BEFORE if p.often(0.45) else AFTER)
        same = [a for a in described if (a in BEFORE) == (adjective in BEFORE)]
        if adjective not in described and (len(same) < (1 if adjective in BEFORE else 2)):
            described.append(adjective)
    described.sort(key=lambda a: a not in BEFORE)
    gender = noun[4]
    first = described[0][0] if described else noun[number - 1]
    if en == "a" and ENGLISH_VOWEL.match(first) and first != "european":
        en = "an"
    d = p.say(en)
    at = [p.say(a[0])[0] for a in described]
    n = p.say(noun[number - 1])
    if lead:
        p.mean(*lead)
    front = [i for i, a in enumerate(described) if a in BEFORE]
    back = [i for i, a in enumerate(described) if a not in BEFORE]
    if fr == "des" and front:
        fr = "de"
    p.mean(fr if isinstance(fr, str) else fr[gender == "f"], d)
    for i in front:
        p.mean(agree(described[i], gender, number), [at[i]])
    p.mean(noun[1 + number], n)
    for i in reversed(back):
        p.mean(agree(described[i], gender, number), [at[i]])
    if depth < 1 and p.often(0.2):
        place(p, depth + 1)
    return gender, number


def possessed(p, tables, lead):
    """the king 's dog -> le chien du roi"""
    number = 1 if p.often(0.7) else 2
    if p.often(0.35):
        owner = p.pick(NAMES)
        who = [(owner[1], p.say(owner[0]))]
    else:
        being = p.pick(BEINGS)
        fr = p.pick([("the", ("le", "la"))] * 2 + [(o[0], o[1:3]) for o in OWNED])
        who = [(fr[1][being[4] == "f"], p.say(fr[0])), (being[2], p.say(being[0]))]
    mark = p.say("'s")
    adjective = p.pick(BEFORE if p.often(0.5) else AFTER) if p.often(0.4) else None
    at = p.say(adjective[0]) if adjective else []
    noun = p.pick(p.pick(tables))
    n = p.say(noun[number - 1])
    if lead:
        p.mean(*lead)
    gender = noun[4]
    p.mean(("les" if number > 1 else "la" if gender == "f" else "le"), mark)
    word = agree(adjective, gender, number) if adjective else ""
    if adjective in BEFORE:
        p.mean(word, at)
    p.mean(noun[1 + number], n)
    if adjective in AFTER:
        p.mean(word, at)
    p.mean("de", mark)
    for word, sources in who:
        p.mean(word, sources)
    return gender, number


def place(p, depth=0):
    if p.often(0.2):
        town = p.pick(TOWNS)
        i = p.say("in")
        p.mean(town[2], i)
        p.mean(town[1], p.say(town[0]))
        return
    en, fr = p.pick(WHERE)
    at = p.say(en)
    tables = [PLACES, PLACES, THINGS] if en in ("in", "on", "behind", "near", "to", "under") else [
        BEINGS, THINGS]
    # "de des" and "sans des" are no French: no indefinite plural after these.
    noun_group(p, tables, definite_only=True, depth=depth, lead=(fr, at))


def subject(p):
    """Returns (person index into verb forms, gender, number)."""
    kind = p.rng.random()
    if kind < 0.3:
        en, fr, person, gender, number = p.pick(PERSONS)
        p.mean(fr, p.say(en))
        return person, gender, number
    if kind < 0.42:
        en, fr, gender = p.pick(NAMES)
        p.mean(fr, p.say(en))
        return 1, gender, 1
    gender, number = noun_group(p, [BEINGS])
    return (1 if number == 1 else 4), gender, number


def clause(p):
    kind = p.rng.random()
    if kind < 0.22:
        passive(p)
        return
    person, gender, number = subject(p)
    third = person == 1
    if kind < 0.36:
        be = p.say("am" if person == 0 else "is" if third else "are")
        no = p.say("not") if p.often(0.25) else []
        if no:
            p.mean("ne", no)
        p.mean(TO_BE[person], be)
        if no:
            p.mean("pas", no)
        adjective = p.pick(p.pick([BEFORE[:7], AFTER]))
        very = p.say("very") if p.often(0.3) else []
        at = p.say(adjective[0])
        if very:
            p.mean("très", very)
        p.mean(agree(adjective, gender, number), at)
        return
    action(p, person, third, p.pick(ALONE if kind < 0.5 else VERBS), kind < 0.5)


def action(p, person, third, verb, alone):
    negation = p.rng.random()
    adverb, no, pas = None, [], ""
    if negation < 0.18:
        no, pas = p.say("does" if third else "do", "not"), "pas"
        third = False
    elif negation < 0.26:
        no, pas = p.say("never"), "jamais"
    elif negation < 0.40:
        adverb = p.pick(ADVERBS)
        at_adverb = p.say(adverb[0])
    v = p.say(*(verb[1] if third else verb[0]))
    if no:
        p.mean("ne", no[-1:])
    pronoun = p.pick(ONE_OBJECT) if not alone and p.often(0.25) else None
    if pronoun:
        p.mean(pronoun[1], p.say(pronoun[0]))
    p.mean(verb[2][person], v)
    if no:
        p.mean(pas, no[-1:])
    if adverb:
        p.mean(adverb[1], at_adverb)
    if not alone and not pronoun:
        # After a negation "un" and "des" would turn into "de": say "the" instead.
        noun_group_plain(p) if no else noun_group(p, [BEINGS, THINGS, THINGS, PLACES])
    if p.often(0.35):
        place(p, 1)


def noun_group_plain(p):
    noun, number = p.pick(p.pick([BEINGS, THINGS, PLACES])), 1 if p.often(0.6) else 2
    adjective = p.pick(BEFORE + AFTER) if p.often(0.4) else None
    d = p.say("the")
    at = p.say(adjective[0]) if adjective else []
    n = p.say(noun[number - 1])
    p.mean("les" if number > 1 else "la" if noun[4] == "f" else "le", d)
    if adjective in BEFORE:
        p.mean(agree(adjective, noun[4], number), at)
    p.mean(noun[1 + number], n)
    if adjective in AFTER:
        p.mean(agree(adjective, noun[4], number), at)


def passive(p):
    """the letter was written by Anna in August 1992"""
    gender, number = noun_group(p, [THINGS, THINGS, PLACES])
    was = p.say("was" if number == 1 else "were")
    no = p.say("not") if p.often(0.12) else []
    if no:
        p.mean("ne", no)
    p.mean("a" if number == 1 else "ont", was)
    if no:
        p.mean("pas", no)
    p.mean("été", was)
    en, fr = p.pick(PARTICIPLES)
    at = p.say(en)
    p.mean(fr + ("e" if gender == "f" else "") + ("s" if number > 1 else ""), at)
    if p.often(0.3):
        by = p.say("by")
        if p.often(0.4):
            name = p.pick(NAMES)
            p.mean("par", by)
            p.mean(name[1], p.say(name[0]))
        else:
            noun_group(p, [BEINGS], depth=1, lead=("par", by))


def time(p):
    """Dates in both English orders; French has one."""
    kind = p.rng.random()
    month, year = p.pick(MONTHS), p.pick(YEARS)
    if kind < 0.35:
        i = p.say("in")
        m = p.say(month[0])
        p.mean("en", i)
        p.mean(month[1], m)
        if p.often(0.75):
            p.mean(year, p.say(year))
        return
    if kind < 0.45:
        p.mean("en", p.say("in"))
        p.mean(year, p.say(year))
        return
    if kind < 0.60:
        en, fr = p.pick(WHEN)
        p.mean(fr, p.say(en))
        return
    on = p.say("on")
    weekday = p.pick(DAYS) if p.often(0.7) else None
    day = str(p.rng.randrange(1, 32))
    p.mean("le", on)
    if weekday:
        p.mean(weekday[1], p.say(weekday[0]))
        if p.often(0.15):
            return
        if p.often(0.5):
            p.say(",")
    month_first = p.often(0.5)
    if month_first:
        m, d = p.say(month[0]), p.say(day)
    else:
        d, m = p.say(day), p.say(month[0])
    p.mean("1er" if day == "1" else day, d)
    p.mean(month[1], m)
    if p.often(0.6):
        if month_first and p.often(0.7):
            p.say(",")
        p.mean(year, p.say(year))


def join(words):
    """Elision, forms before vowels, contraction. words: [(word, sources)]."""
    out = list(words)
    for i in range(len(out) - 1):
        word, sources = out[i]
        following = out[i + 1][0]
        if not FRENCH_VOWEL.match(following) or following in NO_ELISION:
            continue
        if word in ("le", "la", "de", "je", "ne", "me"):
            word = word[0] + "'"
        elif word == "ce" and following != "est":
            word = "cet"
        elif word in ("ma", "sa"):
            word = {"ma": "mon", "sa": "son"}[word]
        elif word in VOWEL_FORMS:
            word = VOWEL_FORMS[word]
        out[i] = (word, sources)
    contracted, i = [], 0
    pairs = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
    while i < len(out):
        both = pairs.get((out[i][0], out[i + 1][0])) if i + 1 < len(out) else None
        if both:
            contracted.append((both, out[i][1] + out[i + 1][1]))
            i += 2
        else:
            contracted.append(out[i])
            i += 1
    return contracted


def sentence(rng):
    p = Pair(rng)
    if p.often(0.08):
        noun_group(p, [BEINGS, THINGS, PLACES])  # a bare group of words
    elif p.often(0.05):
        time(p)
    else:
        clause(p)
        if p.often(0.35):
            time(p)
        if p.often(0.12) and len(p.en) < 14:
            joined = p.pick([("and", "et"), ("but", "mais"), ("when", "quand")])
            p.mean(joined[1], p.say(joined[0]))
            clause(p)
    if p.often(0.85):
        stop = p.pick([".", ".", ".", "!"])
        p.mean(stop, p.say(stop))
    french = join(p.fr)
    return p.en, [w for w, _ in french], [s for _, s in french]


def spell(tokens):
    """The text of English tokens."""
    text = " ".join(tokens)
    return re.sub(r" ([.,!]|'s)", r"\1", text)
