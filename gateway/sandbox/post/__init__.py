"""A post office as a stand-in: SMTP in, IMAP out, the hotline's mailbox and one for every citizen."""
