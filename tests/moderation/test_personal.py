"""Personal data is found where it stands, and ordinary numbers are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.detectors.personal.spans import mask, personal_spans


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail me at ana.b+c@example.org ok", "mail me at [email] ok"),
        ("call 415-555-0134 pls", "call [phone] pls"),
        ("meu zap é 11 91234 5678", "meu zap é [phone]"),
        ("+33 6 12 34 56 78", "[phone]"),
        ("my insta is cutie_pie99", "my insta is [handle]"),
        ("write @lolo_99", "write [handle]"),
        ("go to discord.gg/abc now", "go to [url] now"),
        ("4111 1111 1111 1111", "[card]"),
        ("my full name is maya lopez and i like cats", "my full name is [name] and i like cats"),
        ("Je m'appelle Inès Martin, j'ai 14 ans", "Je m'appelle [name], j'ai 14 ans"),
        ("me chamo João da Silva Souza mano", "me chamo [name] mano"),
        ("i go to lincoln high lol", "i go to [school] lol"),
        ("estudo no colégio santa maria hoje não", "estudo no [school] hoje não"),
        ("voy al Instituto Los Álamos por la tarde", "voy al [school] por la tarde"),
        ("jsuis au collège Victor Hugo", "jsuis au [school]"),
        ("i live at 14 maple street flat 2", "i live at [address]"),
        ("moro na rua das Acácias, 120, apto 31", "moro na [address]"),
        ("vivo en calle Mayor 5", "vivo en [address]"),
        ("12 bis rue de la Gare", "[address]"),
        ("postcode: SW1A 1AA", "postcode: [address]"),
        ("minha senha é gato123!", "minha senha é [password]"),
        ("my password is correcthorse", "my password is [password]"),
        ("cpf 123.456.789-09 ok", "cpf [id] ok"),
        ("dni 12345678Z", "dni [id]"),
        ("GB82 WEST 1234 5698 7654 32", "[iban]"),
        ("i'm at 48.85837, 2.294481 rn", "i'm at [place] rn"),
        ("we live above the bakery", "we live [place]"),
        ("text me at maya.l at gmail dot com", "text me at [email]"),
        ("call five five five oh one four two please", "call [phone] please"),
        ("add me on snap its luna_x9", "add me on snap its [handle]"),
        ("our swimming coach, Petra Halvorsen, shouted", "our swimming coach, [name], shouted"),
        ("Owen Tilbrook from the year above pushed me", "[name] from the year above pushed me"),
        ("pls end it with kind regards, Ida Fenwright", "pls end it with kind regards, [name]"),
        ("do u know jonas weatherall? he says hi", "do u know [name]? he says hi"),
        ("we lost to St Aldhelm's Primary School again", "we lost to [school] again"),
        ("bring it to Flat 9, 31 Cobbler Street, York YO1 7ZZ", "bring it to [address]"),
        ("we live two doors down from the fire station", "we live [place]"),
        ("the back gate code is 71B2", "the back gate code is [password]"),
        ("log in as pebble_fox with Gr4pes!now", "log in as [handle] with [password]"),
        ("library card 40018822390011 please", "library card [id] please"),
        ("a professora de artes, Celina Boaventura, faltou", "a professora de artes, [name], faltou"),
        ("Murilo Tavarez e eu brigamos no recreio", "[name] e eu brigamos no recreio"),
        ("termina com um abraço, Lia Quaresma", "termina com um abraço, [name]"),
        ("ontem teve prova no colégio estadual Rui Andrada", "ontem teve prova no [school]"),
        ("fica na SQS 311 bloco D ap 204", "fica na [address]"),
        ("minha casa fica em cima da lotérica", "minha casa fica [place]"),
        ("chegou um código 552-913 aqui", "chegou um código [password] aqui"),
        ("nuestra entrenadora se llama Berta Quiroz", "nuestra entrenadora se llama [name]"),
        ("Abel Rentería y yo discutimos otra vez", "[name] y yo discutimos otra vez"),
        ("cierra con saludos, Nuria Belmar", "cierra con saludos, [name]"),
        ("el lunes no hay clase en la escuela normal Juana Ibáñez", "el lunes no hay clase en la [school]"),
        ("mándalo a Cra. 12 # 40-15, apto 202", "mándalo a [address]"),
        ("vivimos a la vuelta de la farmacia", "vivimos [place]"),
        ("la alarma de casa 6027", "la alarma de casa [password]"),
        ("ma prof de dessin s'appelle Odile Ferrandon", "ma prof de dessin s'appelle [name]"),
        ("Joris Malaval de ma classe m'a poussé", "[name] de ma classe m'a poussé"),
        ("finis par gros bisous, Maud Carlier", "finis par gros bisous, [name]"),
        ("les profs du lycée agricole des Ormes sont cools", "les profs du [school] sont cools"),
        ("viens 9 allée des Mésanges, 35000 Rennes", "viens [address]"),
        ("on habite derrière la caserne", "on habite [place]"),
        ("le code du portail c'est 48C7", "le code du portail c'est [password]"),
        ("my mates are Perry Oldcastle, Wren Tasker and Jo Mabey", "my mates are [name], [name] and [name]"),
        ("Ada Finch-Cole and Kit Barrow are in my form", "[name] and [name] are in my form"),
        ("a boy called oliver trescott and his dog", "a boy called [name] and his dog"),
        ("lucy farnworth from hockey told everyone", "[name] from hockey told everyone"),
        ("miss called out Obinna Eke and he hid", "miss called out [name] and he hid"),
        ("the booking is under Nell Harcastle", "the booking is under [name]"),
        ("briguei com Talita Borba no recreio", "briguei com [name] no recreio"),
        ("mis amigas son Noa Lezcano y Vera Ortuzar", "mis amigas son [name] y [name]"),
        ("j'ai tout dit à Solène Vasseur hier", "j'ai tout dit à [name] hier"),
    ],
)
def test_it_is_masked(text: str, masked: str) -> None:
    assert mask(text, personal_spans(text)) == masked


@pytest.mark.parametrize(
    "text",
    [
        "insta is down",
        "i got 1000000000 points",
        "born 12/03/2010",
        "2020-2021 2022",
        "pi is 3.14159265358979",
        "i am 15",
        "my name is maya",
        "my name is maya and i like cats",
        "me llamo como mi abuela",
        "je m'appelle comme toi",
        "i go to school by bus",
        "voy a la escuela desde abril",
        "a escola toda viu",
        "je vais au collège demain",
        "found 10 euros on the street",
        "my password is so weak",
        "minha senha é muito fraca",
        "my insta is so boring",
        "my school is called a prison by everyone lol no",
        "i live in a small town",
        "one two three four five",
        "my sister is obsessed with Sabrina Carpenter and Tony Stark",
        "Harry Potter sits next to Ron in potions",
        "my crush is Tom Holland lol",
        "my teacher, Mrs Dawlish, is ill",
        "have you seen High School Musical",
        "a 20 minute drive and 3 hours on the road",
        "i'm at the Taylor Swift concert",
        "i live near my best friend",
        "amiga, Luísa Sonza lançou música nova",
        "meu insta é flopado e moro perto da minha tia",
        "a rua tem 5 lojas e a senha pede 12 caracteres",
        "mi contraseña es demasiado corta",
        "don Quijote de la Mancha es largo",
        "el camino de 5 km cansa y la clave es estudiar",
        "mon mot de passe est trop court et ma copine s'appelle Léa",
        "le docteur House est drôle",
        "is 10 downing street open to visitors",
        "my friend emma cried and left",
        "Last Friday in my class we had a sub",
        "i sat next to Big Ben for a photo",
        "i like Billie Eilish but she doesn't know me",
        "a girl called sophie keeps staring at me",
        "briguei com minha mãe e Neymar jogou",
        "me senté con Lucas y Mateo",
        "j'ai tout dit à ma mère",
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert personal_spans(text) == ()


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120))
def test_spans_are_in_order_and_inside(text: str) -> None:
    at = 0
    for span in personal_spans(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end


def test_a_long_text_is_read_in_time_linear_in_it() -> None:
    """Nothing of it may be backtracked over: 20,000 characters of what every pattern begins with."""
    for piece in ("my name is ", "12 ", "rua ", "a@", "one two ", "i go to ", "0", "Rua A 5 ", "at the park by "):
        assert isinstance(personal_spans((piece * 20_000)[:20_000]), tuple)
