-- What the vendor asks for before the tables go from series 1 to 2.
create table if not exists prepared_for_2 (at timestamptz not null default now());
insert into prepared_for_2 default values;
