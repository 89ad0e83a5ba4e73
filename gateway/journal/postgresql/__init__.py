"""The journal in a PostgreSQL database. Nothing outside imports it unless `gateway.journal` names one."""
