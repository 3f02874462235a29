"""What a provider's administrator has to type so that deskbell may read and send, filled in with the addresses."""

from collections.abc import Sequence

from service.setup_answers import Provider

_M365 = """\
# Microsoft 365: an application that may read and send as these mailboxes, and as no other

# 1. Entra admin center > App registrations > New registration, single tenant, named deskbell.
#    Note its Application (client) ID and the Directory (tenant) ID.
# 2. There: Certificates & secrets > New client secret. Note its value (not its id) and the day it expires.
# 3. There: API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online >
#    Application permissions: IMAP.AccessAsApp and SMTP.SendAsApp. Then: Grant admin consent.
# 4. Entra admin center > Enterprise applications > deskbell. Note the Object ID shown there: the one under
#    App registrations is another, and does not work.
# 5. In PowerShell:

Install-Module ExchangeOnlineManagement
Connect-ExchangeOnline
$app = "{client_id}"       # Application (client) ID
$object = "OBJECT_ID"      # Object ID under Enterprise applications
New-ServicePrincipal -AppId $app -ObjectId $object -DisplayName deskbell
{mailboxes}
# SMTP AUTH has to be allowed for the organisation as well, or for the mailbox alone as above:
Get-TransportConfig | Format-List SmtpClientAuthenticationDisabled

# It takes up to an hour until all of this holds. Then put into answers.toml:
#   [oauth]
#   tenant = "..."           # Directory (tenant) ID
#   client_id = "..."        # Application (client) ID
#   client_secret_file = "..."
# Limits: 30 mails a minute and 10,000 recipients a day for each mailbox, 3 connections. deskbell keeps to 30 and 3.
# For more mail to colleagues: a High Volume Email account (Exchange admin center > Mail flow), as [smtp] of its own.
"""
_M365_MAILBOX = """\
Add-MailboxPermission -Identity {address} -User $object -AccessRights FullAccess
Set-CASMailbox -Identity {address} -ImapEnabled $true -SmtpClientAuthenticationDisabled $false
"""
_M365_SEND_AS = "Add-RecipientPermission -Identity {address} -Trustee {first} -AccessRights SendAs -Confirm:$false\n"

_GOOGLE = """\
# Google Workspace: each shared address is a user account of its own (a group cannot be read by IMAP)
{accounts}
# 1. Admin console > Apps > Google Workspace > Gmail > End User Access > POP and IMAP access: enable IMAP.
# 2. For each account either
#    an app password (simple): turn on 2-Step Verification, then https://myaccount.google.com/apppasswords;
#      [[mailbox]] address = "..." and password = "..." in answers.toml
#    or OAuth: Google Cloud console > APIs & Services > OAuth consent screen (Internal), then Credentials > OAuth client
#      ID (Desktop app); let the account consent to https://mail.google.com/ once and keep the refresh token;
#      [oauth] client_id, client_secret_file, refresh_token_file in answers.toml. One consent is one account.
# 3. Sending as the others: in the first account, Settings > Accounts > Send mail as, add each other address; or
#    Admin console > Apps > Google Workspace > Gmail > Routing > SMTP relay service, and
#    [smtp] host = "smtp-relay.gmail.com", tls = "starttls" in answers.toml.
# Limits: 2,000 mails a day by smtp.gmail.com, 10,000 recipients a day by the relay service; 15 IMAP connections.
"""

_GENERIC = """\
# Dovecot and Postfix of your own: an account for each shared address

# Dovecot: a user each, in whatever your passdb is; for a passwd-file:
{users}
# Postfix: who may send as whom, in /etc/postfix/sender_login_maps (sender, then login):
{senders}
postmap /etc/postfix/sender_login_maps
postconf -e 'smtpd_sender_login_maps = hash:/etc/postfix/sender_login_maps'
postconf -P 'submission/inet/smtpd_sender_restrictions=reject_sender_login_mismatch'
postfix reload

# Or let Postfix hand the mail over itself, without IMAP: [listener] lmtp = "127.0.0.1:2424" in config.toml, and
{transports}
"""


def commands(provider: Provider, addresses: Sequence[str], *, client_id: str | None = None) -> str:
    """The commands and clicks, with comments; what is not known yet stands in capitals."""
    first, *others = addresses
    if provider == "m365":
        mailboxes = "".join(_M365_MAILBOX.format(address=one) for one in addresses)
        mailboxes += "".join(_M365_SEND_AS.format(address=one, first=first) for one in others)
        return _M365.format(client_id=client_id or "CLIENT_ID", mailboxes=mailboxes)
    if provider == "google":
        return _GOOGLE.format(accounts="".join(f"#    {one}\n" for one in addresses))
    return _GENERIC.format(
        users="\n".join(f"doveadm pw -s SHA512-CRYPT    # then: {one}:HASH" for one in addresses),
        senders="\n".join(f"#   {one} {' '.join(dict.fromkeys((one, first)))}" for one in addresses),
        transports="\n".join(f"#   {one} lmtp:inet:127.0.0.1:2424    in transport_maps" for one in addresses),
    )
