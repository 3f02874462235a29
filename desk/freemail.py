"""Domains at which anybody may have an address: what one of their people does says nothing about the others.

Not complete, and it need not be: an unlisted one shares the budget of a domain, which only delays nobody and silences
receipts to outsiders beyond `limits.external_domain_receipts_per_day`.
"""

FREEMAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com"),
        *("mac.com", "aol.com", "proton.me", "protonmail.com", "pm.me", "fastmail.com", "zoho.com", "hey.com"),
        *("tutanota.com", "tuta.com", "mail.com", "yandex.com", "yandex.ru", "mail.ru", "qq.com", "163.com", "126.com"),
        *("naver.com", "daum.net", "hanmail.net", "yahoo.co.jp", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"),
        *("gmx.de", "gmx.net", "gmx.com", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de"),
        *("mailbox.org", "wp.pl", "o2.pl", "onet.pl", "op.pl", "interia.pl", "gazeta.pl", "tlen.pl", "poczta.fm"),
        *("libero.it", "virgilio.it", "tiscali.it", "alice.it", "tin.it", "inwind.it", "hotmail.it", "live.it"),
        *(
            "orange.fr",
            "wanadoo.fr",
            "free.fr",
            "laposte.net",
            "sfr.fr",
            "hotmail.fr",
            "hotmail.co.uk",
            "btinternet.com",
        ),
        *("outlook.it", "outlook.fr", "outlook.de", "outlook.es", "outlook.sa", "outlook.jp", "maktoob.com"),
    )
)


def is_freemail(domain: str) -> bool:
    """Whether the domain (folded) belongs to a provider whose users have nothing to do with one another."""
    return domain in FREEMAIL or domain.startswith("yahoo.")
