-- Nothing: this number is another change's.
-- unless table cars
DO 0;
