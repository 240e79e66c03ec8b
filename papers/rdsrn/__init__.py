"""RDSRN: what the paper claims."""
