-- The schemas of orders as messages. Variables: avro, proto.
SELECT sluice.create_schema('orders_avro', 'avro', :'avro') AS made \gset
SELECT sluice.create_schema('orders_protobuf', 'protobuf', :'proto') AS made \gset
