-- What the vendor's migration notes ask for before an update from 7.0 to 8.0: those of 7.2, 7.4, 7.6, 7.8 and 8.0. One transaction.

-- 7.2: no value instead of an empty name.
UPDATE ir_ui_view SET model = NULL WHERE model = '';
UPDATE ir_action_act_window SET res_model = NULL WHERE res_model = '';
UPDATE ir_action_wizard SET model = NULL WHERE model = '';
UPDATE ir_action_report SET model = NULL WHERE model = '';
UPDATE ir_action_report SET module = NULL WHERE module = '';
UPDATE ir_translation SET module = NULL WHERE module = '';

-- 7.4: a button of the price lists; the column holds a number up to 7.0.
DELETE FROM ir_model_button b USING ir_model m
WHERE b.name = 'open_lines' AND b.model::text IN (m.id::text, m.model) AND m.model = 'product.price_list';

-- 7.6: two tables with other names for their columns.
ALTER TABLE ir_model RENAME COLUMN name TO string;
ALTER TABLE ir_model RENAME COLUMN model TO name;
ALTER TABLE ir_model_field RENAME COLUMN field_description TO string;

-- 7.8 concerns modules for carriers, 8.0 modules that were withdrawn: none of them is part of this product.
