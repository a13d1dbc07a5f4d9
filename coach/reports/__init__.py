"""What goes on paper: the doctor's report, two pages and a FHIR bundle of one value; an athlete's week or block."""
