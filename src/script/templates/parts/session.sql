-- The same on both servers, so that both print the same text. Read-only by default is what the freeze sets.
SET client_min_messages = warning;
SET default_transaction_read_only = off;
SET search_path = pg_catalog;
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET bytea_output = 'hex';
SET xmloption = 'content';
SET standard_conforming_strings = on;
SET statement_timeout = 0;
SET row_security = off;
