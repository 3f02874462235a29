"""What gives a language in Latin letters away: its common words, also those of a mail at work, and its letters."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "en": """
        the a an and or of to in on for with from at by about is are was were be been has have had do does did
        not no can could would should will i you he she it we they my your our their me us this that these those
        there here what when where which who how why if but because since after before please thanks thank hello
        hi dear regards best kind cheers hey morning need cannot don doesn didn isn won anyone someone today
        tomorrow yesterday still again already any some just get got know help like new two more week
    """,
    "pl": """
        i w na z ze do od po za o u nie się jest są był była było być mam mamy masz ma mogę może można możecie
        czy że jak co gdzie kiedy kto który która które dla przez pod nad przed już jeszcze tylko też bardzo ale
        lub albo bo mi mnie mój moja moje moim mojego nas nam was wam nasz nasze to ten ta te tego tej tym dzień
        dobry cześć witam proszę prosimy dziękuję dzięki pozdrawiam pozdrowienia szanowni państwo dziś dzisiaj
        jutro wczoraj rano działa działają chcę chciałbym chciałabym potrzebuję pomoc pomocy mógłby mogłaby
        poproszę żeby jestem od kilku dni dwa dwie nowy nowe nowego
    """,
    "it": """
        il lo la gli le i un uno una di del dello della dei degli delle a al allo alla ai alle da dal dalla in
        nel nella nei con su sul sulla per tra e ed o ma non che chi cui come dove quando perché se anche più
        già ancora sono sei è siamo siete era ho hai ha abbiamo hanno vorrei posso potete può puoi potrebbe mi
        ti ci vi si mio mia miei vostro nostra questo questa questi quello oggi domani ieri buongiorno buonasera
        salve ciao gentili gentile grazie prego saluti cordiali cordialmente favore bisogno funziona funzionano
        stamattina qualcuno dopo senza due nuovo nuova
    """,
    "de": """
        der die das den dem des ein eine einen einem einer und oder aber nicht kein keine ich du er sie es wir
        ihr mir mich uns euch mein meine meinen meinem unser unsere ist sind war waren bin habe hat haben hatte
        wird werden kann können könnte könnten möchte muss für mit von vom zu zum zur bei beim auf aus in im an
        am nach seit über unter wenn dass weil als wie was wer wo wann auch noch schon nur sehr bitte danke
        vielen dank hallo guten tag liebe sehr geehrte damen herren grüße grüßen gruß mehr heute morgen gestern
        immer geht funktioniert hilfe zwei neue neuen neuer
    """,
    "fr": """
        le la les l un une des du de d au aux et ou mais ne n pas plus que qu qui quoi dont où quand comment
        pourquoi si je j tu il elle on nous vous ils elles me m te se s mon ma mes notre votre vos ce c cet
        cette ces est sont suis était être ai as a avons avez ont avoir peux peut pouvez pourriez voudrais dois
        pour par avec sans sur sous dans en chez depuis après avant bonjour bonsoir salut merci cordialement
        bien aussi très encore déjà plaît svp aujourd hui demain hier matin fonctionne marche besoin quelqu
        avance deux nouveau nouvelle
    """,
    "es": """
        el la los las un una unos unas de del a al y o pero no que qué quien cómo como cuando cuándo donde dónde
        porque si sí yo tú él ella nosotros ustedes me te se nos le les mi mis su sus nuestro nuestra este esta
        esto estos ese es son soy está están estoy era fue ser estar he ha han hemos tengo tiene tenemos puedo
        puede pueden podría podrían quiero quisiera necesito para por con sin sobre en desde hasta entre más ya
        muy también todavía hola buenos buenas días tardes gracias saludos cordial estimados favor hoy mañana
        ayer funciona alguien ayuda hay dos nuevo nueva
    """,
    "nl": """
        de het een en of maar niet geen ik jij je u hij zij ze wij we jullie mij me ons mijn uw onze is zijn was
        waren ben heb heeft hebben had kan kunnen kunt zou zouden wil moet voor met van naar bij op uit in aan
        tot sinds over onder als dat die dit deze wat wie waar wanneer hoe ook nog al alleen heel graag alvast
        hallo goedemorgen goedendag beste geachte dank bedankt groet groeten vriendelijke vandaag morgen
        gisteren werkt iemand hulp er twee nieuwe
    """,
    "pt": """
        o a os as um uma de do da dos das em no na nos nas ao à e ou mas não que quem como quando onde porque se
        eu tu ele ela nós vocês você me te lhe meu minha meus nosso seu sua este esta isto esse é são sou está
        estão estou era foi ser estar tenho tem temos posso pode podem poderia gostaria preciso para por pelo
        pela com sem sobre desde até entre mais já muito também ainda olá bom boa dia tarde obrigado obrigada
        cumprimentos atenciosamente favor hoje amanhã ontem funciona alguém ajuda há dois duas novo nova
    """,
    "cs": """
        a i v ve na z ze do od po za o u s se si ne není je jsou jsem jsme byl byla bylo být mám máme máte má
        mohu může můžete mohli lze že jak co kde kdy kdo který která které pro přes pod nad před už ještě jen
        také velmi ale nebo protože mi mě můj moje mého nás nám vás vám náš to ten ta té tento toto dobrý den
        ahoj prosím prosíme děkuji děkujeme díky pozdravem zdravím vážení dnes zítra včera ráno funguje
        nefunguje chci chtěl chtěla potřebuji pomoc dva dvě nový nové
    """,
}

ALPHABETS: Mapping[str, frozenset[str]] = {
    "en": frozenset(),
    "pl": frozenset("ąćęłńóśźż"),
    "it": frozenset("àèéìíîòóùú"),
    "de": frozenset("äöüß"),
    "fr": frozenset("àâæçéèêëîïôœùûüÿ"),
    "es": frozenset("áéíñóúü"),
    "nl": frozenset("áéëïíóöüú"),
    "pt": frozenset("áâãàçéêíóôõú"),
    "cs": frozenset("áčďéěíňóřšťúůýž"),
}
